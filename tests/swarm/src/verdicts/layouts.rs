//! Fleets by zones and racks, and what can befall their hosts, both up to symmetry.
//!
//! Two hosts of one rack, two racks of one size in one zone, two zones of one shape may change places without changing
//! what is concluded, so that only one of each such set of scenarios is visited.

/// The rack sizes of each zone, largest first, zones likewise.
pub type Layout = Vec<Vec<usize>>;

/// Every way to stand so many hosts into zones and racks: 1, 3, 6, 14, 27, 58, 111, 223, 424 for one to nine hosts.
pub fn layouts(hosts: usize) -> Vec<Layout> {
    let mut shapes: Vec<Vec<usize>> = (1..=hosts).flat_map(partitions).collect();
    shapes.sort_by(|one, other| other.cmp(one));
    let mut found = Vec::new();
    add_zones(&shapes, 0, hosts, &mut Vec::new(), &mut found);
    found
}

fn add_zones(
    shapes: &[Vec<usize>],
    from: usize,
    left: usize,
    zones: &mut Layout,
    found: &mut Vec<Layout>,
) {
    if left == 0 {
        found.push(zones.clone());
        return;
    }
    for (at, shape) in shapes.iter().enumerate().skip(from) {
        let size: usize = shape.iter().sum();
        if size <= left {
            zones.push(shape.clone());
            add_zones(shapes, at, left - size, zones, found);
            zones.pop();
        }
    }
}

/// The ways to write a number as a sum, largest part first.
fn partitions(number: usize) -> Vec<Vec<usize>> {
    fn add(left: usize, most: usize, parts: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
        if left == 0 {
            found.push(parts.clone());
        }
        for part in (1..=most.min(left)).rev() {
            parts.push(part);
            add(left - part, part, parts, found);
            parts.pop();
        }
    }
    let mut found = Vec::new();
    add(number, number, &mut Vec::new(), &mut found);
    found
}

/// Gives every host one of `faces` fates and calls back with each different outcome: fates of all hosts, in the order of
/// zones and racks.
pub fn each_fate(layout: &Layout, faces: u8, visit: &mut dyn FnMut(&[u8])) {
    let zones: Vec<Vec<Vec<u8>>> = layout.iter().map(|racks| zone_fates(racks, faces)).collect();
    let mut chosen = Vec::with_capacity(zones.len());
    let mut fates = Vec::new();
    choose(
        &Choice { sets: &zones, same: &|at| layout[at] == layout[at - 1] },
        &mut chosen,
        &mut |chosen| {
            fates.clear();
            chosen.iter().zip(&zones).for_each(|(&at, zone)| fates.extend_from_slice(&zone[at]));
            visit(&fates);
        },
    );
}

/// The different fates of one zone's hosts.
fn zone_fates(racks: &[usize], faces: u8) -> Vec<Vec<u8>> {
    let sets: Vec<Vec<Vec<u8>>> = racks.iter().map(|&size| rack_fates(size, faces)).collect();
    let mut found = Vec::new();
    choose(
        &Choice { sets: &sets, same: &|at| racks[at] == racks[at - 1] },
        &mut Vec::new(),
        &mut |chosen| {
            let fates = chosen.iter().zip(&sets).flat_map(|(&at, set)| set[at].iter().copied());
            found.push(fates.collect());
        },
    );
    found
}

/// The different fates of one rack's hosts: never falling, since they may change places.
fn rack_fates(size: usize, faces: u8) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = vec![Vec::new()];
    for _ in 0..size {
        let longer = |row: &Vec<u8>| {
            let least = row.last().copied().unwrap_or(0);
            let row = row.clone();
            (least..faces).map(move |face| {
                let mut row = row.clone();
                row.push(face);
                row
            })
        };
        found = found.iter().flat_map(longer).collect();
    }
    found
}

/// One of each set, never falling where neighbouring sets are the same.
struct Choice<'a> {
    sets: &'a [Vec<Vec<u8>>],
    same: &'a dyn Fn(usize) -> bool,
}

fn choose(choice: &Choice<'_>, chosen: &mut Vec<usize>, visit: &mut dyn FnMut(&[usize])) {
    let at = chosen.len();
    let Some(set) = choice.sets.get(at) else {
        visit(chosen);
        return;
    };
    let least = match chosen.last() {
        Some(&last) if (choice.same)(at) => last,
        _ => 0,
    };
    for pick in least..set.len() {
        chosen.push(pick);
        choose(choice, chosen, visit);
        chosen.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_layouts_as_multisets_of_partitions() {
        let counts: Vec<usize> = (1..=9).map(|hosts| layouts(hosts).len()).collect();
        assert_eq!(counts, [1, 3, 6, 14, 27, 58, 111, 223, 424]);
    }

    #[test]
    fn fates_differ_by_more_than_a_change_of_places() {
        let count = |layout: &[&[usize]], faces| {
            let layout: Layout = layout.iter().map(|racks| racks.to_vec()).collect();
            let mut count = 0;
            each_fate(&layout, faces, &mut |_| count += 1);
            count
        };
        assert_eq!(count(&[&[3]], 2), 4, "how many of three died");
        assert_eq!(count(&[&[1, 1, 1]], 2), 4);
        assert_eq!(count(&[&[1], &[1], &[1]], 2), 4);
        assert_eq!(count(&[&[2], &[1]], 2), 6);
        assert_eq!(count(&[&[2, 1], &[2, 1]], 2), 21, "pairs of six");
    }
}
