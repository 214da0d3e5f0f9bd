//! What a hash of another system asks for: by which it is compared with others
//! before it was ever measured.

/// The functions that take time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Bcrypt,
    Pbkdf2Sha1,
    Pbkdf2Sha256,
    Pbkdf2Sha512,
    Scrypt,
    Sha256Crypt,
    Sha512Crypt,
    Phpass,
    Digest,
}

/// A function, and how many steps of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    function: Function,
    steps: u64,
}

impl Cost {
    pub(crate) fn new(function: Function, steps: u64) -> Self {
        Self { function, steps }
    }

    /// About how many nanoseconds it takes for a password of so many bytes.
    pub(crate) fn estimate(self, password: usize) -> u64 {
        let per_step = match self.function {
            Function::Bcrypt => 60_000,
            Function::Pbkdf2Sha1 => 220,
            Function::Pbkdf2Sha256 => 250,
            Function::Pbkdf2Sha512 => 650,
            // For each KiB.
            Function::Scrypt => 2_600,
            Function::Sha256Crypt => 150,
            Function::Sha512Crypt => 400,
            Function::Phpass => 150,
            Function::Digest => 1_000,
        };
        self.steps * per_step * self.blocks(password)
    }

    /// How many blocks of its digest a step computes: some functions take the
    /// password in again at each step, and longer for a longer one.
    pub(crate) fn blocks(self, password: usize) -> u64 {
        // The password comes in 13 times in 7 steps, beside the last digest, the
        // salt two times in three, and the padding.
        let in_sha_crypt = |rest: usize, block: usize| (rest + password * 13 / 7).div_ceil(block);
        let blocks = match self.function {
            Function::Sha256Crypt => in_sha_crypt(32 + 10 + 9, 64),
            Function::Sha512Crypt => in_sha_crypt(64 + 10 + 17, 128),
            Function::Phpass => (16 + password + 9).div_ceil(64),
            _ => 1,
        };
        blocks as u64
    }
}
