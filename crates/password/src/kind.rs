//! What a hash asks for, whoever made it: by which hashes are compared before they
//! are computed.

use argon2::{Algorithm, Params, Version};

use crate::imported::Cost;
use crate::parameters::Argon2Parameters;

/// What a block takes in nanoseconds, before anything was measured.
pub(crate) const NANOS_PER_BLOCK: u64 = 450;

/// What a hash asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A hash by Argon2.
    Argon2 {
        algorithm: Algorithm,
        version: Version,
        /// Blocks of 1 KiB.
        blocks: u64,
        passes: u64,
        lanes: u64,
    },
    /// A hash by another function, in KiB of memory besides.
    Imported { cost: Cost, memory_kib: u64 },
}

impl Kind {
    pub(crate) fn new(algorithm: Algorithm, version: Version, params: &Params) -> Self {
        Self::Argon2 {
            algorithm,
            version,
            blocks: params.block_count() as u64,
            passes: u64::from(params.t_cost()),
            lanes: u64::from(params.p_cost()),
        }
    }

    /// What new hashes are.
    pub(crate) fn of(parameters: Argon2Parameters) -> Self {
        let argon2 = parameters.argon2id();
        Self::new(Algorithm::Argon2id, Version::V0x13, argon2.params())
    }

    /// How much memory it takes.
    pub(crate) fn memory_kib(self) -> u64 {
        match self {
            Self::Argon2 { blocks, .. } => blocks,
            Self::Imported { memory_kib, .. } => memory_kib,
        }
    }

    /// About how many nanoseconds it takes for a password of so many bytes.
    pub(crate) fn estimate(self, password: usize) -> u64 {
        match self {
            Self::Argon2 { blocks, passes, .. } => blocks * passes * NANOS_PER_BLOCK,
            Self::Imported { cost, .. } => cost.estimate(password),
        }
    }

    /// The part of its time that grows with the password.
    pub(crate) fn grows(self, password: usize) -> u64 {
        match self {
            Self::Argon2 { .. } => 1,
            Self::Imported { cost, .. } => cost.blocks(password),
        }
    }

    /// How many blocks of Argon2 are computed.
    pub(crate) fn work(self) -> u64 {
        match self {
            Self::Argon2 { blocks, passes, .. } => blocks * passes,
            Self::Imported { .. } => 0,
        }
    }
}
