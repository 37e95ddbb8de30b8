//! The names of a type's fields, asked of its `Deserialize`.

use serde::de::{self, DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

/// The names under which `T` reads its fields; none where it is not a struct with named fields.
pub fn of<T: DeserializeOwned>() -> Option<&'static [&'static str]> {
    let mut names = None;
    // It always stops early: nothing is there to be read.
    let _ = T::deserialize(Names(&mut names));
    names
}

/// Notes the field names that it is asked for, and gives up.
struct Names<'a>(&'a mut Option<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::custom("no struct"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        *self.0 = Some(fields);
        Err(de::Error::custom("only the names are wanted"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamics::lif::Lif;
    use crate::group::Inhibitory;

    #[test]
    fn a_struct_knows_its_fields_and_others_have_none() {
        assert_eq!(of::<Lif>(), Some(&["tau", "r", "threshold", "v_reset", "v_rest", "init_v"][..]));
        assert_eq!(of::<Inhibitory>(), None);
    }
}
