//! What a world is made with besides its settings.

/// What a world is made with besides its settings.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// Environment variables of one replica each.
    pub(crate) variables_at: Vec<(usize, String, String)>,
    /// The replicas with a line of their own to the database.
    pub(crate) lines_at: Vec<usize>,
    /// The administrator of the database server, if it is not the usual one.
    pub(crate) admin_url: Option<String>,
    /// The user that the service connects as, if it is not the administrator.
    pub(crate) user: Option<String>,
    /// Whether its files can be kept from growing.
    pub(crate) bears_full_files: bool,
    /// How many file descriptors servers may have at the most.
    pub(crate) descriptors: Option<u32>,
}

impl Options {
    /// The variables of a replica.
    pub(crate) fn variables_of(&self, replica: usize) -> Vec<(String, String)> {
        let of_it = self.variables_at.iter().filter(|(at, ..)| *at == replica);
        let pairs = of_it.map(|(_, name, value)| (name.clone(), value.clone()));
        pairs.collect()
    }

    /// The URL with which the service connects.
    pub(crate) fn for_the_service(&self, url: String) -> String {
        match &self.user {
            Some(user) => url.replacen("//root@", &format!("//{user}@"), 1),
            None => url,
        }
    }
}
