//! Events that wait for a bot, and the bots' own posts that are watched for them.

use jiff::Timestamp;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::{Error, Store, from_ms, read, to_ms};
use crate::model::name::BotId;

/// Somebody did something that concerns a bot.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Whom it concerns.
    pub bot: BotId,
    /// What makes it one of a kind, like `comment:c17`: the same source is told once.
    pub source: String,
    /// `comment`, `mention` or `remix`.
    pub kind: String,
    /// The post that it happened on.
    pub post: String,
    /// The post's title.
    pub post_title: String,
    /// The comment, when it is one.
    pub comment: Option<String>,
    /// What was written.
    pub text: Option<String>,
    /// Username of who did it.
    pub from: Option<String>,
    /// Whether that account is one of this fleet.
    pub is_fleet: bool,
    /// When it happened.
    pub at: Timestamp,
}

/// An event with its row.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    /// The row.
    pub id: i64,
    /// What happened.
    pub what: NewEvent,
}

/// A post that a bot shared.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnPost {
    /// The gallery's id.
    pub id: String,
    /// Who shared it.
    pub bot: BotId,
    /// Its title.
    pub title: String,
    /// The workflow that it carries.
    pub workflow: Option<String>,
    /// When.
    pub at: Timestamp,
    /// How many comments have been looked at.
    pub comments_seen: u32,
}

impl Store {
    /// Keeps events that are new; answers which bots got one.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn add_events(&self, events: Vec<NewEvent>) -> Result<Vec<BotId>, Error> {
        self.write(move |connection| {
            Box::pin(async move {
                let mut told = Vec::new();
                for event in events {
                    let done = sqlx::query(
                        "INSERT INTO events (bot, source, kind, post, post_title, comment, words, sender, is_fleet, at) \
                         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (bot, source) DO NOTHING",
                    )
                    .bind(event.bot.to_string())
                    .bind(event.source)
                    .bind(event.kind)
                    .bind(event.post)
                    .bind(event.post_title)
                    .bind(event.comment)
                    .bind(event.text)
                    .bind(event.from)
                    .bind(i64::from(event.is_fleet))
                    .bind(to_ms(event.at))
                    .execute(&mut *connection)
                    .await?;
                    if done.rows_affected() > 0 && !told.contains(&event.bot) {
                        told.push(event.bot);
                    }
                }
                Ok(told)
            })
        })
        .await
    }

    /// Events that wait for a bot, oldest first.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn waiting_events(&self, bot: &BotId, limit: u32) -> Result<Vec<StoredEvent>, Error> {
        let rows = sqlx::query(
            "SELECT id, bot, source, kind, post, post_title, comment, words, sender, is_fleet, at FROM events \
             WHERE bot = $1 AND delivered_at IS NULL ORDER BY id LIMIT $2",
        )
        .bind(bot.to_string())
        .bind(i64::from(limit))
        .fetch_all(&self.reads)
        .await
        .map_err(read)?;
        rows.iter().map(event).collect()
    }

    /// Events that a bot was told lately, newest first, of one kind where asked.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn recent_events(&self, bot: &BotId, kind: Option<&str>, limit: u32) -> Result<Vec<StoredEvent>, Error> {
        let mut sql = sqlx::QueryBuilder::new(
            "SELECT id, bot, source, kind, post, post_title, comment, words, sender, is_fleet, at FROM events WHERE bot = ",
        );
        sql.push_bind(bot.to_string()).push(" AND delivered_at IS NOT NULL");
        if let Some(kind) = kind {
            sql.push(" AND kind = ").push_bind(kind.to_owned());
        }
        sql.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit));
        sql.build().fetch_all(&self.reads).await.map_err(read)?.iter().map(event).collect()
    }

    /// Notes a post that a bot shared, so that it is watched for comments.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn add_post(&self, post: OwnPost) -> Result<(), Error> {
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO posts (id, bot, title, workflow, at, comments_seen) VALUES ($1, $2, $3, $4, $5, $6) \
                     ON CONFLICT (id) DO NOTHING",
                )
                .bind(post.id)
                .bind(post.bot.to_string())
                .bind(post.title)
                .bind(post.workflow)
                .bind(to_ms(post.at))
                .bind(i64::from(post.comments_seen))
                .execute(&mut *connection)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// Notes how many comments of a post have been looked at.
    ///
    /// # Errors
    /// When the write fails.
    pub async fn saw_comments(&self, post: &str, count: u32) -> Result<(), Error> {
        let post = post.to_owned();
        self.write(move |connection| {
            Box::pin(async move {
                sqlx::query("UPDATE posts SET comments_seen = $2 WHERE id = $1")
                    .bind(post)
                    .bind(i64::from(count))
                    .execute(&mut *connection)
                    .await?;
                Ok(())
            })
        })
        .await
    }

    /// The bot's post with this id, when a bot of this fleet shared it.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn own_post(&self, id: &str) -> Result<Option<OwnPost>, Error> {
        let row = sqlx::query("SELECT id, bot, title, workflow, at, comments_seen FROM posts WHERE id = $1")
            .bind(id.to_owned())
            .fetch_optional(&self.reads)
            .await
            .map_err(read)?;
        row.as_ref().map(own_post).transpose()
    }

    /// The earliest post of this fleet that carries a workflow.
    ///
    /// # Errors
    /// When the read fails.
    pub async fn post_of_workflow(&self, workflow: &str) -> Result<Option<OwnPost>, Error> {
        let row = sqlx::query(
            "SELECT id, bot, title, workflow, at, comments_seen FROM posts WHERE workflow = $1 ORDER BY at LIMIT 1",
        )
        .bind(workflow.to_owned())
        .fetch_optional(&self.reads)
        .await
        .map_err(read)?;
        row.as_ref().map(own_post).transpose()
    }
}

fn own_post(row: &SqliteRow) -> Result<OwnPost, Error> {
    let id: String = row.get("id");
    let bot: String = row.get("bot");
    Ok(OwnPost {
        bot: bot.parse().map_err(|error| Error::Row { row: format!("posts/{id}"), problem: format!("{error}") })?,
        id,
        title: row.get("title"),
        workflow: row.get("workflow"),
        at: from_ms(row.get("at")),
        comments_seen: u32::try_from(row.get::<i64, _>("comments_seen")).unwrap_or(0),
    })
}

fn event(row: &SqliteRow) -> Result<StoredEvent, Error> {
    let id: i64 = row.get("id");
    let bot: String = row.get("bot");
    Ok(StoredEvent {
        id,
        what: NewEvent {
            bot: bot
                .parse()
                .map_err(|error| Error::Row { row: format!("events/{id}"), problem: format!("{error}") })?,
            source: row.get("source"),
            kind: row.get("kind"),
            post: row.get("post"),
            post_title: row.get("post_title"),
            comment: row.get("comment"),
            text: row.get("words"),
            from: row.get("sender"),
            is_fleet: row.get::<i64, _>("is_fleet") != 0,
            at: from_ms(row.get("at")),
        },
    })
}
