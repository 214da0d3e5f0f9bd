//! The working memory of a hash. It shows what passwords were hashed in it, so
//! it is wiped as soon as there is a pause, and before it is given back.

use argon2::Block;
use zeroize::Zeroize as _;

/// The least that is reserved, in blocks; only what is used becomes resident.
/// glibc hands a piece of more than 32 MiB back to the system when it is
/// released. Smaller ones it keeps, and comes to hold several of them.
const MIN_RESERVED: usize = 33 * 1024;

/// Blocks of 1 KiB, the same ones for one hash after another.
#[derive(Default)]
pub(crate) struct Memory {
    blocks: Vec<Block>,
    state: State,
}

/// What the memory is like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// There is none.
    #[default]
    Released,
    /// There is some, and nothing in it.
    Wiped,
    /// It shows what was hashed in it.
    Used,
}

impl Memory {
    /// `count` blocks to hash in. What they hold does not matter to Argon2.
    ///
    /// # Errors
    /// If the machine has not so much memory.
    pub(crate) fn blocks(&mut self, count: usize) -> Result<&mut [Block], &'static str> {
        if self.blocks.len() < count {
            self.release();
            self.blocks
                .try_reserve_exact(count.max(MIN_RESERVED))
                .map_err(|_| "out of memory")?;
            self.blocks.resize(count, Block::new());
        }
        self.state = State::Used;
        Ok(&mut self.blocks[..count])
    }

    /// What the memory is like.
    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// Wipes the memory and keeps it.
    pub(crate) fn wipe(&mut self) {
        if self.state == State::Used {
            for block in &mut self.blocks {
                block.zeroize();
            }
            self.state = State::Wiped;
        }
    }

    /// Wipes the memory and gives it back.
    pub(crate) fn release(&mut self) {
        self.wipe();
        self.blocks = Vec::new();
        self.state = State::Released;
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.wipe();
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
    fn wiped_memory_shows_nothing_and_is_kept() {
        let mut memory = Memory::default();
        let blocks = memory.blocks(64).expect("memory");
        let place = blocks.as_ptr();
        for block in blocks {
            block.as_mut().fill(0xA5);
        }
        memory.wipe();
        assert_eq!(memory.state(), State::Wiped);
        let shown = memory
            .blocks
            .iter()
            .flat_map(AsRef::as_ref)
            .any(|w| *w != 0);
        assert!(!shown);
        assert_eq!(memory.blocks(64).expect("memory").as_ptr(), place);
    }

    #[test]
    fn memory_is_there_again_after_its_release() {
        let mut memory = Memory::default();
        assert_eq!(memory.state(), State::Released);
        memory.blocks(64).expect("memory");
        assert_eq!(memory.state(), State::Used);
        memory.release();
        assert_eq!(
            (memory.state(), memory.blocks.capacity()),
            (State::Released, 0)
        );
        assert_eq!(memory.blocks(64).expect("memory").len(), 64);
    }

    #[test]
    fn more_than_the_machine_has_is_an_error() {
        assert!(Memory::default().blocks(usize::MAX / 2048).is_err());
    }
}
