//! Makes a damaged data directory one that can be served: what is whole is kept or written anew,
//! what is damaged is moved to the folder `aside` in it, as it was.

mod salvage;

use super::check::{Report, Survey};
use super::disk::{Database, Disk, Tree, sync_names};
use super::generation;
use super::open::{self, OpenError, Stamp};
use super::recovery::entry;
use super::sled::SledDisk;
use super::{LogId, catalog, frame, key};
use crate::limits;
use crate::store::segment::Records;
use salvage::{Coverage, Salvage};
use std::collections::HashSet;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// What a repair did, and what there is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaired {
    /// What was found before.
    pub before: Report,
    /// What was done, for people; nothing where the directory was sound.
    pub done: Vec<String>,
    /// What there is now.
    pub after: Report,
}

/// Sets the damage in a data directory aside. Blocking.
///
/// # Errors
/// As for a check, and when the directory cannot be written.
pub fn repair(directory: &Path) -> Result<Repaired, OpenError> {
    let (lock, stamp) = open::visit(directory)?;
    let fail = |error| OpenError::new(directory, error);
    let mut repair = Repair {
        directory: directory.to_path_buf(),
        done: Vec::new(),
    };
    repair.finish_earlier().map_err(fail)?;
    let before = Survey::of(directory, stamp)?;
    if !before.damage.is_empty() {
        // Those who come meanwhile find it, unless it was one of the things that are damaged.
        let _lock = lock.is_none().then(|| File::create(directory.join("lock")));
        repair.small_files(&before).map_err(fail)?;
        if before.meta.damaged {
            repair.meta(&before).map_err(fail)?;
        }
        let survey = Survey::of(directory, Stamp::Right)?;
        repair.generations(&survey).map_err(fail)?;
        if before.meta.damaged {
            repair.keep_nameless().map_err(fail)?;
        }
    }
    let after = match repair.done.is_empty() {
        true => before.clone(),
        false => Survey::of(directory, Stamp::Right)?,
    };
    drop(lock);
    Ok(Repaired {
        before: before.report(),
        done: repair.done,
        after: after.report(),
    })
}

struct Repair {
    directory: PathBuf,
    done: Vec<String>,
}

impl Repair {
    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// A repair that was killed had written new metadata, and perhaps moved the old.
    fn finish_earlier(&mut self) -> io::Result<()> {
        let (new, meta) = (self.path("meta.new"), self.path("meta"));
        if !new.exists() {
            return Ok(());
        }
        if meta.exists() {
            return std::fs::remove_dir_all(new);
        }
        std::fs::rename(new, meta)?;
        self.done
            .push("an earlier repair of meta was finished".to_owned());
        sync_names(&self.directory)
    }

    /// Moves something into the folder `aside`.
    fn set_aside(&mut self, name: &str) -> io::Result<()> {
        let folder = self.path("aside");
        std::fs::create_dir_all(&folder)?;
        let aside = generation::free(&folder.join(name), is_there);
        std::fs::rename(self.path(name), &aside)?;
        sync_names(&folder)?;
        sync_names(&self.directory)?;
        let shown = aside.strip_prefix(&self.directory).unwrap_or(&aside);
        self.done
            .push(format!("{name} was moved to {}", shown.display()));
        Ok(())
    }

    fn small_files(&mut self, survey: &Survey) -> io::Result<()> {
        if self.path("lock").is_dir() {
            self.set_aside("lock")?;
        }
        if matches!(survey.stamp, Stamp::Damaged(_)) {
            self.set_aside("version")?;
        }
        if !survey.spare.1 {
            self.set_aside("meta.copy")?;
        }
        if survey.stamp != Stamp::Right {
            open::stamp(&self.directory)?;
        }
        Ok(())
    }

    /// Writes the metadata anew, from all that can be read of it.
    fn meta(&mut self, survey: &Survey) -> io::Result<()> {
        let path = self.path("meta");
        let salvaged = salvage::metadata(&path, &survey.spare)?;
        let mut pairs = salvaged.pairs;
        let openings = pairs.get(key::EPOCH).and_then(|value| key::number(value));
        if salvaged.is_guessed || openings.is_none() || survey.run() >= openings {
            // Whatever was given out since is not given out again. The engine numbers the files
            // of its metadata on at every opening, so there were not more openings than that.
            let least = openings.max(Some(salvaged.newest_file));
            let least = least.max(survey.run().map(|run| run + 1)).unwrap_or(0);
            let openings = least + limits::RUNS_SKIPPED_BY_REPAIR;
            pairs.insert(key::EPOCH.to_vec(), openings.to_be_bytes().to_vec());
        }
        let new = self.path("meta.new");
        {
            let database = SledDisk.open(&new, limits::DATABASE_CACHE_BYTES)?;
            for (key, value) in &pairs {
                database.insert(Tree::Main, key, value)?;
            }
            database.flush()?;
        }
        if path.exists() {
            self.set_aside("meta")?;
        }
        std::fs::rename(new, path)?;
        sync_names(&self.directory)?;
        let count = pairs.len();
        self.done
            .push(format!("meta was written anew, with {count} entries"));
        Ok(())
    }

    /// Writes what is whole in damaged generations to new ones.
    fn generations(&mut self, survey: &Survey) -> io::Result<()> {
        let damaged = survey.generations.values().filter(|found| found.damaged);
        let mut paths: Vec<&PathBuf> = damaged.map(|found| &found.path).collect();
        paths.extend(&survey.set_aside);
        if paths.is_empty() && survey.missing.is_empty() {
            return Ok(());
        }
        let mut coverage = Coverage::of(survey);
        let mut next = self.next_number(survey)?;
        let meta = SledDisk.open(&self.path("meta"), limits::DATABASE_CACHE_BYTES)?;
        for number in &survey.missing {
            meta.remove(Tree::Main, &key::summary(*number))?;
            meta.remove(Tree::Main, &key::begun(*number))?;
            self.done
                .push(format!("meta does not expect generation {number} any more"));
        }
        meta.flush()?;
        for path in paths {
            let segments = Salvage::of(path, &coverage)?.into_segments(&coverage);
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !segments.is_empty() {
                self.write_generation(next, &segments, &*meta)?;
                let records: usize = segments.iter().map(Records::len).sum();
                self.done.push(format!(
                    "{records} records of {name} were written to gen-{next:06}"
                ));
                next += 1;
            }
            coverage.extend(segments.iter());
            if let Some(number) = generation::number(&name) {
                meta.remove(Tree::Main, &key::summary(number))?;
                meta.remove(Tree::Main, &key::begun(number))?;
                meta.flush()?;
            }
            self.set_aside(&name)?;
        }
        Ok(())
    }

    /// A number that nothing is named after.
    fn next_number(&self, survey: &Survey) -> io::Result<u64> {
        let mut highest = survey.missing.iter().max().copied();
        for folder in [self.directory.clone(), self.path("aside")] {
            let Ok(entries) = std::fs::read_dir(folder) else {
                continue;
            };
            for entry in entries {
                let name = entry?.file_name();
                let name = name.to_string_lossy();
                let name = name.split(['.', '-']).take(2).collect::<Vec<_>>().join("-");
                highest = highest.max(generation::number(&name));
            }
        }
        Ok(highest.map_or(0, |highest| highest + 1))
    }

    fn write_generation(
        &self,
        number: u64,
        segments: &[super::segment::Segment],
        meta: &dyn Database,
    ) -> io::Result<()> {
        let database = SledDisk.open(
            &generation::path(&self.directory, number),
            limits::DATABASE_CACHE_BYTES,
        )?;
        let mut entries = Vec::new();
        for (segment, number) in segments.iter().zip(0..) {
            let key = key::segment(u64::from(number));
            database.insert(Tree::Main, &key, segment.bytes())?;
            entries.push(entry(segment, number));
        }
        database.flush()?;
        drop(database);
        sync_names(&self.directory)?;
        meta.insert(Tree::Main, &key::summary(number), &frame::summary(&entries))?;
        meta.flush()
    }

    /// Records whose stream nobody knows any more are deleted at the next start: what was lost of
    /// the metadata may have known it, so a copy of them stays.
    fn keep_nameless(&mut self) -> io::Result<()> {
        let survey = Survey::of(&self.directory, Stamp::Right).map_err(io::Error::other)?;
        let known = survey.meta.engine().filter_map(|(key, _)| {
            let (stream, shard) = catalog::parse_shard(key)?;
            Some(LogId { stream, shard })
        });
        let known: HashSet<LogId> = known.collect();
        for found in survey.generations.values() {
            if found
                .stretches
                .iter()
                .all(|found| known.contains(&found.log))
            {
                continue;
            }
            let name = found.path.file_name().unwrap_or_default();
            let copy = generation::free(&self.path("aside").join(name), is_there);
            copy_folder(&found.path, &copy)?;
            let (name, shown) = (name.display(), copy.strip_prefix(&self.directory));
            let shown = shown.unwrap_or(&copy).display().to_string();
            self.done.push(format!(
                "{name} has records of streams that are not known any more: {shown} is a copy of it"
            ));
        }
        Ok(())
    }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}
