//! Naver Cloud SENS v2 (api.ncloud-docs.com): text messages, and Kakao's
//! AlimTalk, by its API over HTTPS.

mod alimtalk;
mod answer;
mod gateway;
mod signature;
mod sms;

pub use alimtalk::{AlimTalk, AlimTalkSettings, AlimTalkTemplate};
pub use gateway::SensKeys;
pub use sms::{Sens, SensSettings};
