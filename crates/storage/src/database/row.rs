//! Reading a row, column by column, in the order in which they were selected.

use countersign_domain::model::Timestamp;
use countersign_domain::ports::StoreError;
use sea_orm::{QueryResult, TryGetable};

use super::tables::Column;

/// A row of which some columns have been read.
pub(super) struct Row {
    result: QueryResult,
    next: usize,
}

impl Row {
    pub(super) fn new(result: QueryResult) -> Self {
        Self { result, next: 0 }
    }

    /// Begins again with the first column.
    pub(super) fn rewind(&mut self) {
        self.next = 0;
    }

    /// The next column, which is `column`.
    pub(super) fn value<T: TryGetable>(&mut self, column: impl Column) -> Result<T, StoreError> {
        let value = self.result.try_get_by_index(self.next);
        self.next += 1;
        value.map_err(|_| corrupt(column))
    }

    /// The next column as `read` understands its text.
    pub(super) fn text<T>(
        &mut self,
        column: impl Column,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        let text: String = self.value(column)?;
        read(&text).ok_or_else(|| corrupt(column))
    }

    /// The next column as words, each as `read` understands it.
    pub(super) fn words<T>(
        &mut self,
        column: impl Column,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Vec<T>, StoreError> {
        self.text(column, |text| {
            text.split_ascii_whitespace().map(read).collect()
        })
    }

    /// The next column as so many bytes.
    pub(super) fn bytes<const N: usize>(
        &mut self,
        column: impl Column,
    ) -> Result<[u8; N], StoreError> {
        let bytes: Vec<u8> = self.value(column)?;
        bytes.try_into().map_err(|_| corrupt(column))
    }

    /// The next column as an instant.
    pub(super) fn time(&mut self, column: impl Column) -> Result<Timestamp, StoreError> {
        self.value(column).map(Timestamp::from_millis)
    }

    /// The next column as an instant, if it is set.
    pub(super) fn optional_time(
        &mut self,
        column: impl Column,
    ) -> Result<Option<Timestamp>, StoreError> {
        let millis: Option<i64> = self.value(column)?;
        Ok(millis.map(Timestamp::from_millis))
    }
}

/// Names the column, never the value.
pub(super) fn corrupt<C: Column>(column: C) -> StoreError {
    StoreError::Corrupt(format!(
        "{}.{} holds a value that cannot be read",
        C::TABLE.unquoted(),
        column.unquoted()
    ))
}

/// Words as they are stored.
pub(super) fn joined<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().collect::<Vec<_>>().join(" ")
}
