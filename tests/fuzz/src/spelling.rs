//! What must hold of bytes that are to be a value of some kind.
//!
//! Law W1 of `wire`: a value or a named fault. A value has one spelling of its own, no longer than what came, and is read back
//! from it as what it was.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The value that these bytes are, if they are one.
pub(crate) fn read<T>(bytes: &[u8]) -> Option<T>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    match wire::decode::<T>(bytes) {
        Err(why) => {
            assert!(!why.to_string().is_empty(), "law W1: a fault says something");
            None
        }
        Ok(value) => {
            let spelled = wire::encode(&value);
            assert!(spelled.len() <= bytes.len(), "law W1: the shortest spelling is our own");
            assert_eq!(wire::decode::<T>(&spelled).as_ref(), Ok(&value), "law W1: read as written");
            Some(value)
        }
    }
}
