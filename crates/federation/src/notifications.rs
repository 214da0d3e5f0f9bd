//! Messages that providers send by themselves: that a consent was taken back, or an account is gone.

mod apple;
mod kakao;
mod naver;
mod parameters;
mod reading;
mod security_event;

pub(crate) use reading::read;
