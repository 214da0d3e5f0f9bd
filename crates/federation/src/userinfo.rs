//! The userinfo endpoint (OpenID Connect Core 1.0, 5.3), asked where the ID token has no address.

use crate::failure::Failure;
use crate::json::Members;
use crate::network::{HttpClient, Reply};
use crate::url::Url;

/// What the endpoint tells of the person with this subject.
///
/// # Errors
/// As the client's, and rejected if it tells of somebody else.
pub(crate) async fn read(
    http: &HttpClient,
    url: &Url,
    access_token: &str,
    subject: &str,
) -> Result<Members, Failure> {
    let of_answer = |failure: Failure| failure.during("the userinfo answer");
    let members = object(&http.get(url, Some(access_token)).await?).map_err(of_answer)?;
    match members.required("sub").map_err(of_answer)? == subject {
        true => Ok(members),
        false => Err(of_answer(Failure::rejected("its sub is another person"))),
    }
}

/// The object of a good answer.
///
/// # Errors
/// Rejected if it is none.
pub(crate) fn object(reply: &Reply) -> Result<Members, Failure> {
    match reply.status.is_success() {
        true => Members::read(&reply.body),
        false => {
            let status = reply.status.as_u16();
            Err(Failure::rejected(format!("it has status {status}")))
        }
    }
}
