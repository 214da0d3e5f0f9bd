//! What one hash costs, within bounds that neither make it worthless nor stop
//! the machine.

use std::ops::RangeInclusive;

use argon2::{Algorithm, Argon2, Params, Version};

/// The parameters of Argon2id (RFC 9106, 3.1) for new hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Parameters {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// A parameter out of its bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {name} of Argon2 must be {} to {}, not {value}", .bounds.start(), .bounds.end())]
pub struct ParametersError {
    name: &'static str,
    bounds: RangeInclusive<u32>,
    value: u32,
}

impl Argon2Parameters {
    /// The length of a new hash in bytes.
    pub(crate) const OUTPUT_BYTES: usize = 32;

    /// Parameters within the bounds: memory (m) of 8,192 to 1,048,576 KiB,
    /// 1 to 10 passes (t), 1 to 4 lanes (p). Lanes are computed one after
    /// another, so they cost the service no more than one.
    ///
    /// # Errors
    /// The first parameter that is out of its bounds, and the bounds.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, ParametersError> {
        within("memory in KiB", 8_192..=1_048_576, memory_kib)?;
        within("number of passes", 1..=10, passes)?;
        within("number of lanes", 1..=4, lanes)?;
        Ok(Self {
            memory_kib,
            passes,
            lanes,
        })
    }

    /// Memory of one hash in KiB (m).
    #[must_use]
    pub fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory (t).
    #[must_use]
    pub fn passes(self) -> u32 {
        self.passes
    }

    /// Lanes (p).
    #[must_use]
    pub fn lanes(self) -> u32 {
        self.lanes
    }

    /// The function with these parameters.
    pub(crate) fn argon2id(self) -> Argon2<'static> {
        let params = Params::new(
            self.memory_kib,
            self.passes,
            self.lanes,
            Some(Self::OUTPUT_BYTES),
        )
        .expect("our bounds lie within those of Argon2");
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
    }
}

impl Default for Argon2Parameters {
    /// 19 MiB, 2 passes, 1 lane: the OWASP recommendation.
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
        }
    }
}

fn within(
    name: &'static str,
    bounds: RangeInclusive<u32>,
    value: u32,
) -> Result<(), ParametersError> {
    if bounds.contains(&value) {
        Ok(())
    } else {
        Err(ParametersError {
            name,
            bounds,
            value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_themselves_are_allowed() {
        for (m, t, p) in [(8_192, 1, 1), (1_048_576, 10, 4)] {
            assert!(Argon2Parameters::new(m, t, p).is_ok(), "m={m} t={t} p={p}");
        }
    }

    #[test]
    fn what_is_out_of_bounds_is_named_with_its_bounds() {
        for (m, t, p, text) in [
            (
                8_191,
                2,
                1,
                "the memory in KiB of Argon2 must be 8192 to 1048576, not 8191",
            ),
            (
                1_048_577,
                2,
                1,
                "the memory in KiB of Argon2 must be 8192 to 1048576, not 1048577",
            ),
            (
                19_456,
                0,
                1,
                "the number of passes of Argon2 must be 1 to 10, not 0",
            ),
            (
                19_456,
                11,
                1,
                "the number of passes of Argon2 must be 1 to 10, not 11",
            ),
            (
                19_456,
                2,
                0,
                "the number of lanes of Argon2 must be 1 to 4, not 0",
            ),
            (
                19_456,
                2,
                5,
                "the number of lanes of Argon2 must be 1 to 4, not 5",
            ),
        ] {
            let error = Argon2Parameters::new(m, t, p).expect_err(text);
            assert_eq!(error.to_string(), text);
        }
    }
}
