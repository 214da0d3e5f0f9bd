//! What few worlds need: lines that can be cut, clocks that are wrong, a database
//! server of the test's own.

use crate::backend::FreshDatabase;
use crate::database_server::DatabaseServer;
use crate::proxy::Proxy;
use crate::shifted_clock::ShiftedClock;
use crate::world::{World, WorldBuilder};

impl World {
    /// The first replica's line to the database.
    ///
    /// # Panics
    /// If the world was not made with lines.
    #[must_use]
    pub fn database_line(&self) -> &Proxy {
        self.database_line_of(0)
    }

    /// A replica's line to the database.
    ///
    /// # Panics
    /// If the world was not made with it.
    #[must_use]
    pub fn database_line_of(&self, replica: usize) -> &Proxy {
        let line = self.database_lines.get(&replica);
        line.expect("the replica has a line")
    }

    /// The name of the database, on a server.
    #[must_use]
    pub fn database_name(&self) -> Option<&str> {
        self.database.as_ref().map(FreshDatabase::name)
    }

    /// The first replica's line to Redis.
    ///
    /// # Panics
    /// If the world was not made with lines.
    #[must_use]
    pub fn redis_line(&self) -> &Proxy {
        self.redis_line.as_ref().expect("the world has lines")
    }
}

impl WorldBuilder {
    /// With an environment variable in one replica.
    #[must_use]
    pub fn variable_at(mut self, replica: usize, name: &str, value: impl Into<String>) -> Self {
        let variable = (replica, name.to_owned(), value.into());
        self.options.variables_at.push(variable);
        self
    }

    /// With another clock than this machine's in one replica.
    #[must_use]
    pub fn clock_at(self, replica: usize, clock: &ShiftedClock) -> Self {
        let variables = clock.variables().into_iter();
        variables.fold(self, |builder, (name, value)| {
            builder.variable_at(replica, name, value)
        })
    }

    /// With a line from one replica to its database that can be cut.
    #[must_use]
    pub fn with_line_at(mut self, replica: usize) -> Self {
        self.options.lines_at.push(replica);
        self
    }

    /// With a database on a server of the test's own.
    #[must_use]
    pub fn on_server(mut self, server: &DatabaseServer) -> Self {
        self.options.admin_url = Some(server.admin_url());
        self
    }

    /// With files that can be kept from growing: [`Replica::fill_files`].
    ///
    /// [`Replica::fill_files`]: crate::Replica::fill_files
    #[must_use]
    pub fn with_files_that_fill(mut self) -> Self {
        self.options.bears_full_files = true;
        self
    }

    /// With so many file descriptors for each server.
    #[must_use]
    pub fn with_descriptors(mut self, most: u32) -> Self {
        self.options.descriptors = Some(most);
        self
    }

    /// With another user of the database than its administrator, for the
    /// service.
    #[must_use]
    pub fn as_user(mut self, user: &str) -> Self {
        self.options.user = Some(user.to_owned());
        self
    }
}
