//! Arrays that are in memory already.

use super::error::RecordingError;
use super::spool::{BUFFER, Format, entry_options, replace_with};
use ndarray::{ArrayView, ArrayViewD, Dimension};
use ndarray_npy::{WritableElement, WriteNpyExt};
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use zip::ZipWriter;

/// An array for [`save_npz`], of any shape. Made with `view.into()`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum NpzArray<'a> {
    /// Single precision.
    F32(ArrayViewD<'a, f32>),
    /// Double precision.
    F64(ArrayViewD<'a, f64>),
    /// Indices.
    U32(ArrayViewD<'a, u32>),
    /// Counts and labels.
    I64(ArrayViewD<'a, i64>),
}

macro_rules! npz_array_from {
    ($($number:ty => $variant:ident),*) => {$(
        impl<'a, D: Dimension> From<ArrayView<'a, $number, D>> for NpzArray<'a> {
            fn from(view: ArrayView<'a, $number, D>) -> Self {
                Self::$variant(view.into_dyn())
            }
        }
    )*};
}
npz_array_from!(f32 => F32, f64 => F64, u32 => U32, i64 => I64);

/// Writes named `arrays` to `path` as one archive for `numpy.load`.
///
/// # Errors
///
/// [`RecordingError::UnknownFormat`] unless `path` ends in `.npz`; [`RecordingError::ArrayName`] for a name that is
/// empty, taken or a path; [`RecordingError::Io`] if the file cannot be written. An older file of that name is replaced
/// only by a complete one.
///
/// # Examples
///
/// ```no_run
/// # use conex::recording::save_npz;
/// # let (weights, labels) = (ndarray::array![[0.5f32, 0.25]], ndarray::array![3i64, 7]);
/// save_npz("weights.npz".as_ref(), &[("weights", weights.view().into()), ("labels", labels.view().into())])?;
/// # Ok::<(), conex::recording::RecordingError>(())
/// ```
pub fn save_npz(path: &Path, arrays: &[(&str, NpzArray)]) -> Result<(), RecordingError> {
    if Format::of(path)? != Format::Npz {
        return Err(RecordingError::UnknownFormat { path: path.to_owned() });
    }
    let mut names = HashSet::new();
    for (name, _) in arrays {
        let reason = if name.is_empty() {
            "the name is empty, give it one"
        } else if name.contains(['/', '\\']) || name.chars().any(char::is_control) {
            "slashes and control characters are not allowed, use dots or underscores"
        } else if !names.insert(name) {
            "there is one of that name already, choose another"
        } else {
            continue;
        };
        return Err(RecordingError::ArrayName { path: path.to_owned(), name: (*name).to_owned(), reason });
    }
    replace_with(path, |file| {
        let mut zip = ZipWriter::new(file);
        for (name, array) in arrays {
            match array {
                NpzArray::F32(view) => add_array(&mut zip, name, view),
                NpzArray::F64(view) => add_array(&mut zip, name, view),
                NpzArray::U32(view) => add_array(&mut zip, name, view),
                NpzArray::I64(view) => add_array(&mut zip, name, view),
            }?;
        }
        Ok(zip.finish()?)
    })
    .map_err(|source| RecordingError::io(path, source))
}

fn add_array<T: WritableElement>(
    zip: &mut ZipWriter<BufWriter<File>>,
    name: &str,
    view: &ArrayViewD<T>,
) -> io::Result<()> {
    zip.start_file(format!("{name}.npy"), entry_options((view.len() * size_of::<T>()) as u64))?;
    let mut entry = BufWriter::with_capacity(BUFFER, zip);
    view.write_npy(&mut entry).map_err(io::Error::other)?;
    entry.flush()
}
