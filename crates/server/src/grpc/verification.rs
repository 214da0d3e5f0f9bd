//! VerificationService.

use countersign_domain::model::{Code, GroupId, Purpose, VerificationId};
use countersign_domain::use_cases::{
    CancelVerification, CheckCode, GetVerification, SendCode, Which,
};
use countersign_domain::{Error, Fields};
use countersign_proto::v1;
use countersign_proto::v1::verification_service_server::VerificationService;
use tonic::{Request, Response, Status};

use crate::grpc::convert;
use crate::grpc::rpc_runner::RpcRunner;

/// VerificationService over the domain.
#[derive(Clone)]
pub(crate) struct VerificationGrpc {
    pub(crate) runner: RpcRunner,
}

#[tonic::async_trait]
impl VerificationService for VerificationGrpc {
    async fn send_code(
        &self,
        request: Request<v1::SendCodeRequest>,
    ) -> Result<Response<v1::SendCodeResponse>, Status> {
        self.runner
            .serve(request, |call, message, app| async move {
                let mut fields = Fields::new();
                let group = convert::group(&mut fields, &message.group_id);
                let address = convert::address(
                    &mut fields,
                    "identifier",
                    message.identifier,
                    app.settings.region,
                );
                let purpose = convert::purpose(&mut fields, "purpose", message.purpose);
                if purpose == Some(Purpose::PasswordReset) {
                    fields.refuse(
                        "purpose",
                        "must be PURPOSE_SIGN_UP or PURPOSE_SIGN_IN: StartPasswordReset starts a \
                         reset",
                    );
                }
                let code = match message.code {
                    text if text.is_empty() => None,
                    text => fields.take("code", Code::parse(text)),
                };
                if code.is_none() {
                    convert::reachable(&mut fields, "identifier", address.as_ref());
                }
                let ttl = convert::code_ttl(&mut fields, message.ttl);
                let client = convert::client(&mut fields, message.client_context);
                let command = group.zip(address).zip(purpose).zip(client).map(
                    |(((group, address), purpose), client)| SendCode {
                        group,
                        address,
                        purpose,
                        code,
                        ttl,
                        locale: call.locale,
                        client,
                    },
                );
                let sent = fields.finish(command)?.execute(&app).await?;
                Ok(v1::SendCodeResponse {
                    verification_id: sent.record.id.to_string(),
                    expire_time: convert::timestamp(sent.record.expires_at),
                    resend_time: convert::timestamp(sent.resend_at),
                })
            })
            .await
    }

    async fn check_code(
        &self,
        request: Request<v1::CheckCodeRequest>,
    ) -> Result<Response<v1::CheckCodeResponse>, Status> {
        self.runner
            .serve(request, |_, message, app| async move {
                use v1::check_code_request::Verification;
                let mut fields = Fields::new();
                let which = match message.verification {
                    Some(Verification::VerificationId(id)) => fields
                        .take("verification_id", id.parse::<VerificationId>())
                        .map(Which::Id),
                    Some(Verification::Address(named)) => {
                        let group =
                            fields.take("address.group_id", GroupId::parse(&named.group_id));
                        let region = app.settings.region;
                        let address = convert::address(
                            &mut fields,
                            "address.identifier",
                            named.identifier,
                            region,
                        );
                        let purpose =
                            convert::purpose(&mut fields, "address.purpose", named.purpose);
                        group
                            .zip(address)
                            .zip(purpose)
                            .map(|((group, address), purpose)| {
                                Which::Latest(group, address, purpose)
                            })
                    }
                    None => {
                        fields.refuse("verification", "must have a verification_id or an address");
                        None
                    }
                };
                let code = fields.take("code", Code::typed(&message.code));
                let command = which
                    .zip(code)
                    .map(|(which, code)| CheckCode { which, code });
                let checked = fields.finish(command)?.execute(&app).await?;
                Ok(v1::CheckCodeResponse {
                    proof: checked.proof.expose().to_owned(),
                    proof_expire_time: convert::timestamp(checked.expires_at),
                })
            })
            .await
    }

    async fn get_verification(
        &self,
        request: Request<v1::GetVerificationRequest>,
    ) -> Result<Response<v1::GetVerificationResponse>, Status> {
        self.runner
            .serve(request, |_, message, app| async move {
                let id = verification_id(&message.verification_id)?;
                let shown = GetVerification { id }.execute(&app).await?;
                let record = shown.record;
                Ok(v1::GetVerificationResponse {
                    verification: Some(v1::Verification {
                        verification_id: record.id.to_string(),
                        group_id: record.group.as_str().to_owned(),
                        purpose: convert::purpose_message(record.purpose).into(),
                        masked_address: record.address.masked(),
                        create_time: convert::timestamp(record.created_at),
                        expire_time: convert::timestamp(record.expires_at),
                        remaining_attempts: i32::try_from(shown.remaining_attempts)
                            .unwrap_or(i32::MAX),
                        delivery_state: convert::delivery_state(shown.delivery).into(),
                    }),
                })
            })
            .await
    }

    async fn cancel_verification(
        &self,
        request: Request<v1::CancelVerificationRequest>,
    ) -> Result<Response<v1::CancelVerificationResponse>, Status> {
        self.runner
            .serve(request, |_, message, app| async move {
                let id = verification_id(&message.verification_id)?;
                CancelVerification { id }.execute(&app).await?;
                Ok(v1::CancelVerificationResponse {})
            })
            .await
    }
}

fn verification_id(text: &str) -> Result<VerificationId, Error> {
    text.parse()
        .map_err(|rule: &str| Error::invalid("verification_id", rule))
}
