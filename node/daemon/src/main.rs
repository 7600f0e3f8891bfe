//! The command `hale`: hands the arguments to the command line and gives its exit code to the shell.

use std::process::ExitCode;

fn main() -> ExitCode {
    daemon::command_line::run(std::env::args_os())
}
