//! Signatures on which libraries differ: what ours answers is a rule of the ledger, for keepers that answer otherwise part ways.
//!
//! The classes are those of Chalkias, Garillot and Nikolaenko, "Taming the many EdDSAs" (SSR 2020); the bytes were made for this page, by the key
//! whose seed is 32 times the byte 7.

use vocabulary::{PublicKey, Signature, Verifier};

use crate::identity::RingVerifier;

/// A class, the key, the message, both halves of the signature, and what we answer.
type Odd = (&'static str, &'static str, &'static str, &'static str, &'static str, bool);

const OURS: &str = "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c";
const MIXED: &str = "1f4f580e73ac208f06760190e9edc6f5916775dabd9c1cdca393175c2d6d1083";
const R: &str = "fb799ca808b510870dbc4bc5b91b3eeb82fe5888d39d5105bbfa04b6741591a3";
const IDENTITY: &str = "0100000000000000000000000000000000000000000000000000000000000000";
const IDENTITY_AGAIN: &str = "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
const ZERO: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const ODD: [Odd; 9] = [
    (
        "as RFC 8032 makes it",
        OURS,
        "hale",
        R,
        "199c078cf0b1c41cf44a3ff3162f30636ab8141cbc705b8a8777e022ed6e9407",
        true,
    ),
    (
        "the same, its scalar one group order higher",
        OURS,
        "hale",
        R,
        "0670fde80a15d774cae73696f5280f786ab8141cbc705b8a8777e022ed6e9417",
        false,
    ),
    (
        "its first half is the identity",
        OURS,
        "hale",
        IDENTITY,
        "8707c844d9b3c193ecb16e9796658daa6351d43547eddce88b02fba047ca7508",
        true,
    ),
    (
        "its first half is the identity in its other spelling",
        OURS,
        "hale",
        IDENTITY_AGAIN,
        "681bfafd18c4248a5c724028c30c79b90c9c92c47c4b87dddb79d0d6b103ed0a",
        false,
    ),
    (
        "by a key with a part of order eight, which the challenge cancels",
        MIXED,
        "hale11",
        "cf1f5b9c4e4821d677b0fa71e87c7506a2fca181daca39f9918c783d3df6e236",
        "42edd06e170b354f3282188cf0689f79e53b6a5db19c77baea579fe5d843c903",
        true,
    ),
    (
        "by that key, where only the cofactor would cancel it",
        MIXED,
        "hale0",
        "23f7230fc087a1b30b97a9fe5a479070a08e9de48de59d31445f33139903726c",
        "67a1d472f048ae6363f9a57dcc3ae605a7fd194b5bf0d53136bbfb0399cb0406",
        false,
    ),
    ("of nothing, by the identity, for any message", IDENTITY, "hale", IDENTITY, ZERO, true),
    ("and for any other", IDENTITY, "another", IDENTITY, ZERO, true),
    ("of nothing, by a key of ours", OURS, "hale", IDENTITY, ZERO, false),
];

fn half(hex: &str) -> [u8; 32] {
    let byte = |at: usize| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hex");
    std::array::from_fn(byte)
}

#[test]
fn what_we_answer_to_each_odd_signature_never_changes() {
    for (class, key, message, r, s, answer) in ODD {
        let (key, signature) = (PublicKey(half(key)), Signature(half(r), half(s)));
        let is_signed = RingVerifier.is_signed_by(&key, message.as_bytes(), &signature);
        assert_eq!(is_signed, answer, "{class}");
    }
}

#[test]
fn the_key_whose_signature_holds_for_any_message_is_none_that_enrols() {
    assert!(!PublicKey(half(IDENTITY)).is_sound());
    assert!(!PublicKey(half(IDENTITY_AGAIN)).is_sound());
    assert!(PublicKey(half(OURS)).is_sound());
}
