//! Who may call: keys made by the operator, roles enforced, nobody else.

mod certificates;
mod keys;
mod roles;
