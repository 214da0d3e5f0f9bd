//! What Redis is asked: a command, or a call of a script.

use std::sync::LazyLock;

use deadpool_redis::redis::{Cmd, Script, ToRedisArgs, cmd};

/// A script, which is known to Redis by its digest once it has run there.
pub(super) struct Lua {
    code: String,
    digest: String,
}

/// A script that is made when it is first called.
pub(super) type StaticLua = LazyLock<Lua>;

/// A command or a call of a script.
pub(super) enum Call {
    Command(Cmd),
    Script(ScriptCall),
}

/// A call of a script.
pub(super) struct ScriptCall {
    script: &'static Lua,
    keys: Vec<Vec<u8>>,
    arguments: Vec<Vec<u8>>,
}

impl Lua {
    pub(super) fn new(code: &str) -> Self {
        Self {
            code: code.into(),
            digest: Script::new(code).get_hash().into(),
        }
    }

    /// A call without keys and arguments.
    pub(super) fn call(&'static self) -> ScriptCall {
        ScriptCall {
            script: self,
            keys: Vec::new(),
            arguments: Vec::new(),
        }
    }
}

impl ScriptCall {
    /// Adds one of `KEYS`.
    pub(super) fn key(&mut self, key: impl ToRedisArgs) -> &mut Self {
        key.write_redis_args(&mut self.keys);
        self
    }

    /// Adds one of `ARGV`.
    pub(super) fn arg(&mut self, argument: impl ToRedisArgs) -> &mut Self {
        argument.write_redis_args(&mut self.arguments);
        self
    }
}

impl Call {
    /// The command to be sent: a script by its digest, or with its code where
    /// Redis has said that it does not know it.
    pub(super) fn command(&self, is_unknown: bool) -> Cmd {
        match self {
            Self::Command(command) => command.clone(),
            Self::Script(call) => {
                let mut command = if is_unknown {
                    cmd("EVAL").arg(&call.script.code).take()
                } else {
                    cmd("EVALSHA").arg(&call.script.digest).take()
                };
                command.arg(call.keys.len());
                command.arg(&call.keys).arg(&call.arguments);
                command
            }
        }
    }
}

impl From<Cmd> for Call {
    fn from(command: Cmd) -> Self {
        Self::Command(command)
    }
}

impl From<ScriptCall> for Call {
    fn from(call: ScriptCall) -> Self {
        Self::Script(call)
    }
}
