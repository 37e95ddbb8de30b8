//! What can go wrong between a recording and its file.

use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong between a recording and its file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The file system refused.
    #[error("cannot write `{}`: {source}: choose another folder with --out", path.display())]
    Io {
        /// The file that was asked for.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// An extension that names no format.
    #[error("cannot tell the format of `{}`: end its name in .npz or .csv", path.display())]
    UnknownFormat {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// A row of the wrong width.
    #[error("`{}` has {expected} columns, but a row of {given} values came: append one value per column", path.display())]
    RowLength {
        /// The file being written.
        path: PathBuf,
        /// Columns of the file.
        expected: usize,
        /// Values of the row.
        given: usize,
    },
    /// A name that an array in an archive cannot have.
    #[error("`{}` cannot hold an array named `{name}`: {reason}", path.display())]
    ArrayName {
        /// The archive being written.
        path: PathBuf,
        /// The name.
        name: String,
        /// What is wrong with it, and what to do.
        reason: &'static str,
    },
    /// Two things that belong together differ in length.
    #[error("{what}: expected {expected}, given {given}: they must be equally many")]
    LengthMismatch {
        /// Which two things.
        what: String,
        /// Length of the first.
        expected: usize,
        /// Length of the second.
        given: usize,
    },
    /// A spike of a neuron that its population does not have.
    #[error(
        "population `{population}` has {neurons} neurons, but neuron {neuron} spiked: indices start at 0"
    )]
    NoSuchNeuron {
        /// The population.
        population: String,
        /// The neuron's index.
        neuron: u32,
        /// Neurons of the population.
        neurons: usize,
    },
    /// A number a plot cannot work with.
    #[error("{what} is {value}: it must be {requirement}")]
    Parameter {
        /// Which number.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        requirement: &'static str,
    },
    /// The drawing library refused.
    #[error("cannot draw `{}`: {message}", path.display())]
    Drawing {
        /// The picture that was asked for.
        path: PathBuf,
        /// What the library said.
        message: String,
    },
}

impl RecordingError {
    /// Blames the file system for what happened to `path`.
    pub(crate) fn io(path: &Path, source: impl Into<io::Error>) -> Self {
        Self::Io { path: path.to_owned(), source: source.into() }
    }
}
