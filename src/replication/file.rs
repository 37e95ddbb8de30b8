//! Blueprints in files: RON for people, JSON for programs.

use super::Blueprint;
use crate::error::Result;
use conex_systems::Error;
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The version of the files that are written, and the only one that is read so far.
const FORMAT: u32 = 1;

/// The most that is read of a file \[bytes\].
const LIMIT: u64 = 1 << 30;

/// What stands in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File<B> {
    conex_structure: u32,
    structure: B,
}

/// How a file is written, by the ending of its name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Ron,
    Json,
}

impl Format {
    fn of(path: &Path) -> Result<Format> {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("ron") => Ok(Format::Ron),
            Some("json") => Ok(Format::Json),
            _ => Err(fault(path, "structures are kept in files that end in .ron or .json")),
        }
    }
}

fn fault(path: &Path, reason: impl ToString) -> crate::Error {
    Error::NotLoaded { place: format!("`{}`", path.display()), reason: reason.to_string() }.into()
}

impl Blueprint {
    /// Writes it to a file, RON or JSON by the ending of its name. A file that is there is replaced once all is written.
    ///
    /// # Errors
    /// Another ending; a file that cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let text = match Format::of(path)? {
            Format::Ron => self.to_ron(),
            Format::Json => self.to_json(),
        };
        let text = text.map_err(|reason| fault(path, reason))?;
        replace(path, &text).map_err(|reason| fault(path, format!("it cannot be written: {reason}")))
    }

    /// Reads one from a file, RON or JSON by the ending of its name.
    ///
    /// # Errors
    /// Another ending; a file that cannot be read, is not what it should be, or is of another version.
    pub fn read(path: impl AsRef<Path>) -> Result<Blueprint> {
        let path = path.as_ref();
        let format = Format::of(path)?;
        let size = std::fs::metadata(path).map_err(|e| fault(path, format!("it cannot be read: {e}")))?.len();
        if size > LIMIT {
            return Err(fault(
                path,
                format!("it has {size} bytes, more than the {LIMIT} that are read at most"),
            ));
        }
        let text =
            std::fs::read_to_string(path).map_err(|e| fault(path, format!("it cannot be read: {e}")))?;
        let blueprint = match format {
            Format::Ron => Self::from_ron(&text),
            Format::Json => Self::from_json(&text),
        };
        blueprint.map_err(|reason| fault(path, reason))
    }

    /// It as RON.
    ///
    /// # Errors
    /// What RON cannot express.
    pub fn to_ron(&self) -> std::result::Result<String, String> {
        let pretty = ron::ser::PrettyConfig::new().depth_limit(16).indentor("  ");
        let file = File { conex_structure: FORMAT, structure: self };
        ron::ser::to_string_pretty(&file, pretty).map(|text| text + "\n").map_err(|e| e.to_string())
    }

    /// From RON.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn from_ron(text: &str) -> std::result::Result<Blueprint, String> {
        let file: File<Blueprint> = ron::from_str(text).map_err(|e| e.to_string())?;
        checked(file)
    }

    /// It as JSON.
    ///
    /// # Errors
    /// What JSON cannot express.
    pub fn to_json(&self) -> std::result::Result<String, String> {
        let file = File { conex_structure: FORMAT, structure: self };
        serde_json::to_string_pretty(&file).map(|text| text + "\n").map_err(|e| e.to_string())
    }

    /// From JSON.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn from_json(text: &str) -> std::result::Result<Blueprint, String> {
        let file: File<Blueprint> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        checked(file)
    }
}

fn checked(file: File<Blueprint>) -> std::result::Result<Blueprint, String> {
    match file.conex_structure {
        FORMAT => Ok(file.structure),
        other => Err(format!("it is of version {other}, and this conex reads version {FORMAT}")),
    }
}

/// Writes beside the file, then puts it in its place.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder)?;
    }
    let mut name = path.file_name().map(std::ffi::OsString::from).unwrap_or_default();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary: PathBuf = path.with_file_name(name);
    let write = || {
        let mut file = std::fs::File::create(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)
    };
    write().inspect_err(|_| drop(std::fs::remove_file(&temporary)))
}
