//! How a process learns what became of a commit whose answer was lost with the connection.
//!
//! Each writer has one row, and each of its transactions counts that row up. After a loss the row is asked for behind a
//! lock, which waits until the old transaction has ended, one way or the other. A transaction's number would tell the
//! same of one server, but not after a failover to another that may give the number again.
//!
//! SQLite needs none of this: it has no answer that could be lost.

use crate::conn::Conn;
use crate::error::Result;
use crate::params;

pub(crate) struct CommitMark {
    /// Of this writer alone; also the name of its connection at the server.
    writer: String,
    commits: i64,
}

impl CommitMark {
    /// Makes the writer's row. It must be there before the first transaction: a row that is only being made can be locked
    /// by nobody.
    pub fn introduce(conn: &Conn) -> Result<Self> {
        let mark = Self {
            writer: format!(
                "whistle {:016x}{:016x}",
                crate::postgres::random(),
                crate::postgres::random()
            ),
            commits: 0,
        };
        if conn.postgres().is_some() {
            conn.exec(
                "INSERT INTO writer (writer_id, commits)
                 VALUES ($1, 0)",
                params![mark.writer],
            )?;
            mark.name(conn)?;
        }
        Ok(mark)
    }

    /// Counts the transaction that is open.
    pub fn set(&mut self, conn: &Conn) -> Result<()> {
        if conn.postgres().is_none() {
            return Ok(());
        }
        self.commits += 1;
        conn.queue(
            "UPDATE writer
             SET commits = $2
             WHERE writer_id = $1",
            params![self.writer, self.commits],
            None,
        )
    }

    /// Whether the transaction counted last was kept. Waits for it to end.
    pub fn is_set(&self, conn: &Conn) -> Result<bool> {
        let commits = conn.row(
            "SELECT commits
             FROM writer
             WHERE writer_id = $1
             FOR UPDATE",
            params![self.writer],
            |row| row.int(0),
        )?;
        Ok(commits == self.commits)
    }

    /// Ends what a lost connection of this writer left at the server, so that nobody waits for its locks, and takes over
    /// its name. A server that will not do so finds out by itself, only later. What waits for a standby has been committed:
    /// ended, it would count as kept though the standby does not have it.
    pub fn end_others(&self, conn: &Conn) {
        let ended = conn.rows(
            "SELECT pg_terminate_backend(pid)
             FROM pg_stat_activity
             WHERE application_name = $1 AND pid <> pg_backend_pid() AND wait_event IS DISTINCT FROM 'SyncRep'",
            params![self.writer],
            |_| Ok(()),
        );
        if let Err(error) = ended.and_then(|_| self.name(conn)) {
            tracing::debug!(%error, "connections that were lost could not be ended");
        }
    }

    fn name(&self, conn: &Conn) -> Result<()> {
        conn.rows(
            "SELECT set_config('application_name', $1, false)",
            params![self.writer],
            |_| Ok(()),
        )
        .map(drop)
    }

    /// Takes the row away. A process that is killed leaves it; it is small, and nobody reads it again.
    pub fn leave(&self, conn: &Conn) {
        if conn.postgres().is_none() {
            return;
        }
        let gone = conn.exec(
            "DELETE FROM writer
             WHERE writer_id = $1",
            params![self.writer],
        );
        if let Err(error) = gone {
            tracing::debug!(%error, "a writer's row stays");
        }
    }
}
