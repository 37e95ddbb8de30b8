//! What can go wrong, from building a network to writing its recordings.

use crate::data::DataError;
use crate::recording::RecordingError;

/// The result of everything that can go wrong here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of a network, of its data or of its recordings.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The network is wrong, or went wrong while it ran.
    #[error(transparent)]
    Network(#[from] conex_systems::Error),
    /// Data cannot be read or make no sense.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Recordings or plots cannot be written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
}
