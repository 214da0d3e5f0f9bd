//! Senders of codes and notices: what messages say, and ways to bring them to
//! people.

mod log_sender;
mod text;

pub use log_sender::LogSender;
pub use text::Text;
