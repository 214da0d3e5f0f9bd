//! The working memory of a hash. It shows what passwords were hashed in it, so
//! it is wiped before it is given back.

use argon2::Block;
use zeroize::Zeroize as _;

/// Blocks of 1 KiB, the same ones for one hash after another.
#[derive(Default)]
pub(crate) struct Memory {
    blocks: Vec<Block>,
}

impl Memory {
    /// `count` blocks. What they hold does not matter to Argon2.
    ///
    /// # Errors
    /// If the machine has not so much memory.
    pub(crate) fn blocks(&mut self, count: usize) -> Result<&mut [Block], &'static str> {
        if self.blocks.len() < count {
            self.release();
            self.blocks
                .try_reserve_exact(count)
                .map_err(|_| "out of memory")?;
            self.blocks.resize(count, Block::new());
        }
        Ok(&mut self.blocks[..count])
    }

    /// Whether there is anything to release.
    pub(crate) fn is_held(&self) -> bool {
        !self.blocks.is_empty()
    }

    /// Wipes the memory and gives it back.
    pub(crate) fn release(&mut self) {
        self.blocks.zeroize();
        self.blocks = Vec::new();
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hash_after_another_works_in_the_same_blocks() {
        let mut memory = Memory::default();
        let first = memory.blocks(64).expect("memory").as_ptr();
        let second = memory.blocks(64).expect("memory").as_ptr();
        let smaller = memory.blocks(8).expect("memory");
        assert_eq!(smaller.len(), 8);
        assert_eq!((first, first), (second, smaller.as_ptr()));
    }

    #[test]
    fn memory_is_released_when_idle_and_there_again_when_needed() {
        let mut memory = Memory::default();
        assert!(!memory.is_held());
        memory.blocks(64).expect("memory");
        assert!(memory.is_held());
        memory.release();
        assert!(!memory.is_held());
        assert_eq!(memory.blocks(64).expect("memory").len(), 64);
    }

    #[test]
    fn more_than_the_machine_has_is_an_error() {
        assert!(Memory::default().blocks(usize::MAX / 2048).is_err());
    }
}
