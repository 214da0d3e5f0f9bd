//! What every call goes through once its caller is known: the work is done, on
//! the runtime of databases and hashing if it needs one, and the outcome is
//! logged, counted and answered.

use std::future::Future;
use std::sync::Arc;

use countersign_domain::model::Locale;
use countersign_domain::{Application, Error};
use tokio::runtime::Handle;
use tonic::{Request, Response, Status};

use crate::grpc::call::Call;
use crate::grpc::returning::done_on;
use crate::status::{self, Failure};

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct RpcRunner {
    pub(crate) app: Arc<Application>,
    /// The runtime of databases and hashing.
    pub(crate) work_runtime: Handle,
}

impl RpcRunner {
    /// Makes the command that a message asks for, does its work on the other
    /// runtime, and answers.
    pub(crate) async fn serve<M, C, R, F>(
        &self,
        request: Request<M>,
        work: impl FnOnce(C, Arc<Application>) -> F + Send + 'static,
    ) -> Result<Response<R>, Status>
    where
        C: for<'a> TryFrom<Asked<'a, M>, Error = Error> + Send,
        F: Future<Output = Result<R, Error>> + Send + 'static,
        M: Send + 'static,
        R: Send + 'static,
    {
        let (call, message) = admitted(request)?;
        let done = self.work(&call, message, work).await;
        finish(&call, done)
    }

    /// Makes the command that a message asks for, and does its work on the other
    /// runtime. Begun, it runs to its end even if the caller goes away: a commit
    /// must be followed by what belongs to it.
    pub(crate) async fn work<M, C, R, F>(
        &self,
        call: &Call,
        message: M,
        work: impl FnOnce(C, Arc<Application>) -> F + Send + 'static,
    ) -> Result<R, Error>
    where
        C: for<'a> TryFrom<Asked<'a, M>, Error = Error> + Send,
        F: Future<Output = Result<R, Error>> + Send + 'static,
        M: Send + 'static,
        R: Send + 'static,
    {
        let (working, app) = (call.clone(), self.app.called_from(call.origin()));
        let app = Arc::new(app);
        let doing = async move {
            let command = C::try_from(Asked {
                message,
                call: &working,
                app: &app,
            })?;
            work(command, app).await
        };
        let done = done_on(&self.work_runtime, doing).await;
        done.unwrap_or_else(|| Err(broke_off()))
    }

    /// Does the work of an RPC that is answered from memory, and answers.
    pub(crate) async fn serve_here<M, R, W>(
        &self,
        request: Request<M>,
        work: W,
    ) -> Result<Response<R>, Status>
    where
        W: AsyncFnOnce(M) -> Result<R, Error>,
    {
        let (call, message) = admitted(request)?;
        let done = work(message).await;
        finish(&call, done)
    }
}

/// What is said of work that panicked, or whose runtime has ended.
pub(crate) fn broke_off() -> Error {
    Error::Internal("the work of the call broke off".into())
}

/// A message, with what it takes to make a command of it.
pub(crate) struct Asked<'a, M> {
    pub(crate) message: M,
    pub(crate) call: &'a Call,
    pub(crate) app: &'a Application,
}

/// The call that its headers were checked for.
fn admitted<M>(mut request: Request<M>) -> Result<(Call, M), Status> {
    let call = request.extensions_mut().remove::<Call>();
    match call {
        Some(call) => Ok((call, request.into_inner())),
        None => {
            let unchecked = Error::Internal("the headers of the call were not checked".into());
            Err(status::status(&unchecked.into(), Locale::default(), "-"))
        }
    }
}

/// The end of an answer is noted with its response.
fn finish<R>(call: &Call, done: Result<R, Error>) -> Result<Response<R>, Status> {
    match done {
        Ok(value) => Ok(Response::new(value)),
        Err(error) => Err(call.refuse(&Failure::from(error))),
    }
}
