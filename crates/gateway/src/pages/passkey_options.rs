//! What a browser needs to ask for a passkey that signs in by itself.

use std::time::Duration;

use countersign_client::proto::BeginPasskeySignInRequest;
use tokio::time::timeout;

use super::visitor::Visitor;

/// How long a page waits for the options, without which it is as good.
const PATIENCE: Duration = Duration::from_millis(300);

/// What a browser needs to ask for a passkey; none if the server takes none, or does not answer soon.
pub(super) async fn options(visitor: &Visitor) -> Option<String> {
    let message = BeginPasskeySignInRequest {
        group_id: visitor.state.settings.group_id.clone(),
        client_context: visitor.context.client(),
    };
    let mut auth = visitor.state.client.auth();
    let answer = auth.begin_passkey_sign_in(visitor.context.request(message));
    let answer = timeout(PATIENCE, answer).await.ok()?.ok()?;
    Some(answer.into_inner().request_options)
}
