//! What Redis is asked: a command, or a call of a script.

use std::sync::LazyLock;

use deadpool_redis::redis::{Arg, Cmd, Script, ToRedisArgs};

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
    keys: Cmd,
    arguments: Cmd,
}

/// Room for the keys and the arguments of most calls, that it need not grow.
const PARTS: usize = 8;
const BYTES: usize = 512;

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
            keys: Cmd::with_capacity(PARTS, BYTES),
            arguments: Cmd::with_capacity(PARTS, BYTES),
        }
    }
}

impl ScriptCall {
    /// Adds one of `KEYS`.
    pub(super) fn key(&mut self, key: impl ToRedisArgs) -> &mut Self {
        self.keys.arg(key);
        self
    }

    /// Adds one of `ARGV`.
    pub(super) fn arg(&mut self, argument: impl ToRedisArgs) -> &mut Self {
        self.arguments.arg(argument);
        self
    }

    fn command(&self, is_unknown: bool) -> Cmd {
        let (name, script) = if is_unknown {
            ("EVAL", &self.script.code)
        } else {
            ("EVALSHA", &self.script.digest)
        };
        let mut command = Cmd::with_capacity(3 + 2 * PARTS, script.len() + 2 * BYTES);
        command.arg(name).arg(script);
        let keys = self.keys.args_iter();
        command.arg(keys.len());
        for part in keys.chain(self.arguments.args_iter()) {
            if let Arg::Simple(part) = part {
                command.arg(part);
            }
        }
        command
    }
}

impl Call {
    /// The command to be sent: a script by its digest, or with its code where
    /// Redis has said that it does not know it.
    pub(super) fn command(&self, is_unknown: bool) -> Cmd {
        match self {
            Self::Command(command) => command.clone(),
            Self::Script(call) => call.command(is_unknown),
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
