//! Client certificates through real sockets: whose are believed, what they say, and that keys go on without them.

mod made;
mod renewed;
mod verified;
