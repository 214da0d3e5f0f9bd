//! Groups, made by an operator.

use countersign_proto::v1;
use tonic::Status;

use crate::details::reason;
use crate::gateway::Gateway;
use crate::wait::{PATIENCE, eventually};
use crate::world::World;

impl World {
    /// Makes groups, and waits until each replica knows them. To be called before
    /// there are callers.
    ///
    /// # Panics
    /// If that is refused.
    pub async fn make_groups(&self, ids: &[&str]) {
        let operator = self.gateway();
        for id in ids {
            let made = operator.make_group(id, v1::GroupPolicy::default());
            made.await.expect("a new group");
        }
        for gateway in self.gateways_of_replicas() {
            for id in ids {
                gateway.waits_for_group(id).await;
            }
        }
    }
}

impl Gateway {
    /// Makes a group.
    ///
    /// # Errors
    /// The server's.
    pub async fn make_group(&self, id: &str, policy: v1::GroupPolicy) -> Result<v1::Group, Status> {
        let request = v1::CreateGroupRequest {
            group_id: id.into(),
            display_name: String::new(),
            policy: Some(policy),
        };
        let made = self.groups().create_group(request).await?;
        Ok(made.into_inner().group.unwrap_or_default())
    }

    /// Changes the policy of a group.
    ///
    /// # Errors
    /// The server's.
    pub async fn change_policy(
        &self,
        id: &str,
        policy: v1::GroupPolicy,
    ) -> Result<v1::Group, Status> {
        let request = v1::UpdateGroupRequest {
            group: Some(v1::Group {
                group_id: id.into(),
                policy: Some(policy),
                ..Default::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec!["policy".into()],
            }),
        };
        let changed = self.groups().update_group(request).await?;
        Ok(changed.into_inner().group.unwrap_or_default())
    }

    /// Whether a group is known there: asked for by a call that costs nothing.
    pub async fn knows_group(&self, id: &str) -> bool {
        let request = v1::BeginPasskeySignInRequest {
            group_id: id.into(),
            client_context: None,
        };
        let begun = self.auth().begin_passkey_sign_in(request).await;
        reason(&begun) != "GROUP_NOT_FOUND"
    }

    /// Waits until a group is known there.
    pub async fn waits_for_group(&self, id: &str) {
        let is_known = || async { self.knows_group(id).await.then_some(()) };
        eventually("the group is known", PATIENCE, is_known).await;
    }
}
