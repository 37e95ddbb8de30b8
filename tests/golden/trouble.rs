//! Why a case does not pass.

use std::fmt::Display;

pub type Result<T> = std::result::Result<T, Trouble>;

/// What keeps a case from passing.
#[derive(Debug)]
pub enum Trouble {
    /// It asks for something that conex does not have.
    Skip(String),
    /// It was computed wrongly, or not at all.
    Fail(String),
}

impl Trouble {
    /// What it is.
    pub fn reason(&self) -> &str {
        let (Trouble::Skip(reason) | Trouble::Fail(reason)) = self;
        reason
    }
}

/// The case asks for something that conex does not have.
pub fn skip(reason: impl Display) -> Trouble {
    Trouble::Skip(reason.to_string())
}

/// The case went wrong.
pub fn fail(reason: impl Display) -> Trouble {
    Trouble::Fail(reason.to_string())
}

impl From<conex::Error> for Trouble {
    fn from(error: conex::Error) -> Self {
        fail(error)
    }
}

impl From<conex::data::DataError> for Trouble {
    fn from(error: conex::data::DataError) -> Self {
        fail(error)
    }
}
