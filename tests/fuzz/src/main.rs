//! Writes files for the fuzzers: `fuzz-corpus seeds TARGET FOLDER` what they begin from, `fuzz-corpus keep CONTROL FOLDER` what is
//! kept of what they found, by libFuzzer's control file of a merge.

use std::path::Path;
use std::{env, fs, io};

use fuzz::corpus::{self, FILE_BYTES_MAX};
use fuzz::seeds;

fn main() -> io::Result<()> {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["seeds", target, folder] => sow(target, Path::new(folder)),
        ["keep", control, folder] => keep(Path::new(control), Path::new(folder)),
        _ => Err(io::Error::other("expected `seeds TARGET FOLDER` or `keep CONTROL FOLDER`")),
    }
}

fn sow(target: &str, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let seeds = seeds::of(target);
    if seeds.is_empty() {
        let known = fuzz::TARGETS.map(|target| target.name).join(", ");
        return Err(io::Error::other(format!("{target:?} is none of {known}")));
    }
    seeds.iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
}

/// The folder holds these and nothing else afterwards.
fn keep(control: &Path, folder: &Path) -> io::Result<()> {
    let mut files = corpus::read(&fs::read_to_string(control)?);
    files.retain(|file| {
        fs::metadata(&file.path).is_ok_and(|file| file.len() <= FILE_BYTES_MAX as u64)
    });
    let chosen = corpus::chosen(files)
        .into_iter()
        .map(|path| {
            let name = Path::new(&path).file_name().unwrap_or_default().to_owned();
            Ok((name, fs::read(&path)?))
        })
        .collect::<io::Result<Vec<_>>>()?;
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    println!("{} files in {}", chosen.len(), folder.display());
    chosen.into_iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
}
