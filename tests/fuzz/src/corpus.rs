//! Which finds are kept in the repository: the few files of each target that reach the most.
//!
//! libFuzzer tells in its control file which features of the code each file reaches; the file that adds most is taken, then the one
//! that adds most to it, and so on. The rest is found again in minutes.
//! Not here: running it (see the justfile).

use std::collections::BTreeSet;

/// A corpus is a few files of each kind, not a store of them.
pub const FILES_MAX: usize = 30;

/// Largest file, in bytes.
pub const FILE_BYTES_MAX: usize = 4 * 1024;

/// One file, and what it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// Its path, as libFuzzer was given it.
    pub path: String,
    /// Features of the code, by libFuzzer's numbers.
    pub features: BTreeSet<u64>,
}

/// What a control file of `-set_cover_merge=1` says: two counts, as many paths, then a line `FT` for each file.
pub fn read(control: &str) -> Vec<Reached> {
    let mut lines = control.lines();
    let count = lines.next().and_then(|line| line.parse().ok()).unwrap_or_default();
    let mut files: Vec<Reached> = lines
        .by_ref()
        .skip(1)
        .take(count)
        .map(|path| Reached { path: path.to_owned(), features: BTreeSet::new() })
        .collect();
    for line in lines {
        let mut numbers = line.strip_prefix("FT ").unwrap_or_default().split(' ');
        let number: Option<usize> = numbers.next().and_then(|number| number.parse().ok());
        if let Some(file) = number.and_then(|number| files.get_mut(number)) {
            file.features.extend(numbers.filter_map(|number| number.parse::<u64>().ok()));
        }
    }
    files
}

/// At most [`FILES_MAX`] of these, the one that adds most first; where two add as much, the one that was named first.
pub fn chosen(mut files: Vec<Reached>) -> Vec<String> {
    let mut chosen = Vec::new();
    while chosen.len() < FILES_MAX {
        let most = files.iter().map(|file| file.features.len()).max().unwrap_or_default();
        let Some(place) = files.iter().position(|file| file.features.len() == most && most > 0)
        else {
            break;
        };
        let taken = files.remove(place);
        for file in &mut files {
            file.features.retain(|feature| !taken.features.contains(feature));
        }
        chosen.push(taken.path);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_that_add_most_are_chosen_and_those_that_add_nothing_are_not() {
        let control = "4\n0\nsame\nfew\nmost\nother\nSTARTED 0 9\nFT 0 1 2\nCOV 0 7\nSTARTED 1 9\nFT 1 4\nFT 2 1 2 3\nFT 3 3 5\n";
        let files = read(control);
        assert_eq!(files[2].features, BTreeSet::from([1, 2, 3]));
        assert_eq!(chosen(files), ["most", "few", "other"]);
    }

    #[test]
    fn no_more_files_are_chosen_than_are_kept() {
        let file =
            |number: u64| Reached { path: number.to_string(), features: BTreeSet::from([number]) };
        assert_eq!(chosen((0..99).map(file).collect()).len(), FILES_MAX);
    }
}
