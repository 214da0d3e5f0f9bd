//! What a person asks of its own profile, each made the command that it asks for.

use countersign_domain::model::AttributesChange;
use countersign_domain::use_cases::{GetProfile, UpdateProfile, WithdrawProfile};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;

use super::user_fields::{self, Mask};
use crate::grpc::convert;
use crate::grpc::rpc_runner::Asked;

const ACCESS_TOKEN: &str = "access_token";

impl TryFrom<Asked<'_, v1::GetProfileRequest>> for GetProfile {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::GetProfileRequest>) -> Result<Self, Error> {
        let mut fields = Fields::new();
        let token = asked.message.access_token;
        let access_token = convert::required(&mut fields, ACCESS_TOKEN, token);
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::UpdateProfileRequest>> for UpdateProfile {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::UpdateProfileRequest>) -> Result<Self, Error> {
        let message = asked.message;
        let mut fields = Fields::new();
        let access_token = convert::required(&mut fields, ACCESS_TOKEN, message.access_token);
        let paths = ["name", "locale", "time_zone", "attributes", "attributes.*"];
        let mask = Mask::read(&mut fields, message.update_mask, &paths);
        let profile = message.profile.unwrap_or_default();
        let profile = user_fields::profile(&mut fields, "profile.", profile);
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                etag: user_fields::etag(message.etag),
                name: mask.of("name", profile.name),
                locale: mask.of("locale", profile.locale),
                time_zone: mask.of("time_zone", profile.time_zone),
                attributes: mask.parts("attributes").map(|names| AttributesChange {
                    names,
                    values: profile.attributes,
                }),
            })
        })
    }
}

impl TryFrom<Asked<'_, v1::WithdrawProfileRequest>> for WithdrawProfile {
    type Error = Error;

    fn try_from(asked: Asked<'_, v1::WithdrawProfileRequest>) -> Result<Self, Error> {
        let mut fields = Fields::new();
        let Asked { message, call, .. } = asked;
        let access_token = convert::required(&mut fields, ACCESS_TOKEN, message.access_token);
        fields.finish(|| {
            Some(Self {
                access_token: access_token?,
                locale: call.locale,
            })
        })
    }
}
