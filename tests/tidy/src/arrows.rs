//! Does every crate use only the rooms and guests that the architecture lets it use?
//!
//! Dev-dependencies are held to the same table: a test inside a room is part of that room. The
//! crates under `tests/` may use anything.

use crate::plan::{self, Room};
use crate::{Dependency, Fault, House, Member};

/// Names every dependency that has no arrow.
pub fn check(house: &House) -> Vec<Fault> {
    let products = house.members.iter().filter(|member| !member.is_test());
    products.flat_map(check_member).collect()
}

fn check_member(member: &Member) -> Vec<Fault> {
    let Some(room) = plan::room(member.room()) else {
        return vec![unplanned(member)];
    };
    let dependencies = member.manifest.dependencies.iter();
    dependencies.filter_map(|dependency| check_dependency(member, room, dependency)).collect()
}

fn unplanned(member: &Member) -> Fault {
    Fault::at(&member.manifest.file, 1)
        .found(format!("the crate `{}`", member.manifest.package))
        .expected("a room of docs/ARCHITECTURE.md, section 3, named `hale-` and the room's name")
}

fn check_dependency(member: &Member, room: &Room, dependency: &Dependency) -> Option<Fault> {
    let guest = dependency.guest.as_str();
    let expected = match guest.strip_prefix("hale-") {
        Some(used) if room.may_use.contains(&used) => return None,
        Some(_) => match room.may_use {
            [] => format!("no other room: `{}` is the lowest", room.name),
            rooms => format!("only {}, which lie below `{}`", rooms.join(", "), room.name),
        },
        None => match plan::confinement(guest) {
            Some(rooms) if !rooms.contains(&room.name) => {
                format!("`{guest}` only in {}", rooms.join(", "))
            }
            _ => return None,
        },
    };
    Some(
        Fault::at(&member.manifest.file, dependency.line)
            .found(format!("`{}` using `{guest}`", member.manifest.package))
            .expected(expected),
    )
}
