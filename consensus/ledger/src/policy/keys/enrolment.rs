//! The keys of `enrolment`.

use super::super::MayEnrol;
use crate::document::{Choice, OptionalKey, Section, Shape};

/// Asleep in the example as a whole, so that a mesh under older rules takes it too.
pub static ENROLMENT: Section = Section {
    name: "enrolment",
    shape: Shape::Inline,
    says: "Which hosts are taken in. Taken from rules 2 on.",
    keys: &[&HOSTS],
    sections: &[],
    refused: &[],
};

/// What a mesh says to it while its rules are older.
pub const NOBODY_IS_ADDED: &str =
    "this version takes every host with a certificate of the cluster's authority";

pub static HOSTS: OptionalKey<Choice<MayEnrol>> = OptionalKey {
    name: "hosts",
    form: Choice {
        words: &[("certified", MayEnrol::Certified), ("added", MayEnrol::Added)],
        refused: &[],
    },
    without: "\"certified\"",
    example: "\"certified\"",
    says: "\"certified\" takes every host with a certificate of the cluster's authority; \"added\" only those that a person has \
           named with hale host add, so that a certificate alone brings nobody in, and each new host costs an order.",
};
