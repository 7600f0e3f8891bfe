//! Canonical bytes: the one layout over which signatures and the audit chain are computed.
//!
//! Law: hand-laid, tagged and length-prefixed, so that two different values never share bytes and no codec's upgrade can
//! change what was signed. Integers are big-endian.
//! Not here: bytes on the mesh (see `wire`); canonical bytes are never decoded.

/// A value with one byte layout for ever.
pub trait Canonical {
    /// Lays the value's bytes behind what is already there.
    fn lay(&self, bytes: &mut CanonicalBytes);

    /// The bytes of this value alone under a context, which names what is being signed (`hale attestation 1`).
    fn canonical(&self, context: &str) -> Vec<u8> {
        let mut bytes = CanonicalBytes::default();
        bytes.text(context);
        self.lay(&mut bytes);
        bytes.0
    }
}

/// The bytes laid so far.
#[derive(Default)]
pub struct CanonicalBytes(Vec<u8>);

impl CanonicalBytes {
    /// An unsigned number under tag 1.
    pub fn number(&mut self, value: u64) -> &mut Self {
        self.0.push(1);
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Bytes under tag 2, behind their length.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.0.push(2);
        self.0.extend_from_slice(&(value.len() as u64).to_be_bytes());
        self.0.extend_from_slice(value);
        self
    }

    /// Text under tag 3, behind its length in bytes.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.0.push(3);
        self.0.extend_from_slice(&(value.len() as u64).to_be_bytes());
        self.0.extend_from_slice(value.as_bytes());
        self
    }

    /// The variant of an enum under tag 4; its fields follow.
    pub fn variant(&mut self, number: u8) -> &mut Self {
        self.0.push(4);
        self.0.push(number);
        self
    }

    /// A list under tag 5, behind its length.
    pub fn list<T: Canonical>(&mut self, values: impl ExactSizeIterator<Item = T>) -> &mut Self {
        self.0.push(5);
        self.0.extend_from_slice(&(values.len() as u64).to_be_bytes());
        for value in values {
            value.lay(self);
        }
        self
    }

    /// Another value in place.
    pub fn value(&mut self, value: &impl Canonical) -> &mut Self {
        value.lay(self);
        self
    }

    /// What was laid.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl<T: Canonical> Canonical for &T {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        (*self).lay(bytes);
    }
}

impl<T: Canonical> Canonical for Option<T> {
    fn lay(&self, bytes: &mut CanonicalBytes) {
        match self {
            None => bytes.variant(0),
            Some(value) => bytes.variant(1).value(value),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pair(&'static str, &'static str);

    impl Canonical for Pair {
        fn lay(&self, bytes: &mut CanonicalBytes) {
            bytes.text(self.0).text(self.1);
        }
    }

    #[test]
    fn moving_a_letter_across_a_border_changes_the_bytes() {
        assert_ne!(Pair("ab", "c").canonical("t"), Pair("a", "bc").canonical("t"));
        assert_ne!(Pair("ab", "c").canonical("t"), Pair("ab", "c").canonical("u"));
    }
}
