//! A copy of the studio's gallery, read once, for a dry run to live in.
//!
//! It only reads, a page of each order and a few talks, and what it read lives in memory.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Config, StudioAddress};
use crate::floimg::Floimg;
use crate::floimg::options::Options;
use crate::model::gallery::{Comment, FeedQuery, FeedSort, Post};
use crate::secret::Secret;

/// A post with the comments under it.
pub(super) type Copied = (Post, Vec<Comment>);

/// What was read, and where.
pub(super) struct Gallery {
    pub(super) url: String,
    pub(super) posts: Vec<Copied>,
}

/// Pages that are read: how many posts in which order.
const PAGES: [(FeedSort, u32); 3] = [(FeedSort::Recent, 60), (FeedSort::Trending, 30), (FeedSort::Popular, 30)];
/// How many posts have their comments read, the newest first.
const TALKS: usize = 20;
/// Most comments of one post.
const COMMENTS: u32 = 50;
/// A studio on this machine answers sooner; one elsewhere is not waited for much longer.
const CONNECT: Duration = Duration::from_secs(3);

/// Reads the gallery of the studio in the config.
///
/// # Errors
/// In words, why there is none to read.
pub(super) async fn read(config: &Config) -> Result<Gallery, String> {
    let url = super::studio_url(config).map_err(|problem| problem.to_string())?;
    let token = match &config.floimg.studio {
        StudioAddress::Embedded => crate::app::embedded_token(config).map_err(|problem| problem.to_string())?,
        StudioAddress::Remote(_) => config.floimg.token.clone().unwrap_or_else(|| Secret::new("")),
    };
    let clock = Clock::wall();
    let options = Options {
        connect_timeout: config.floimg.connect_timeout.min(CONNECT),
        read_retries: 0,
        ..crate::app::floimg_options(config, url.clone(), token, clock)
    };
    let floimg = Floimg::new(options).map_err(|problem| problem.to_string())?;
    let mut known = BTreeSet::new();
    let mut posts = Vec::new();
    for (sort, limit) in PAGES {
        let query = FeedQuery { limit, sort, ..FeedQuery::default() };
        let page = floimg.feed(None, &query).await.map_err(|problem| silent(config, url.as_str(), &problem))?;
        posts.extend(page.posts.into_iter().filter(|post| known.insert(post.id.clone())));
    }
    posts.sort_by_key(|post| std::cmp::Reverse(post.created_at));
    let mut copied = Vec::new();
    let mut talks = 0;
    for mut post in posts {
        // Read as nobody, so nobody has liked it; whoever tries it has not either.
        post.is_liked = post.is_liked.or(Some(false));
        let comments = if post.comment_count > 0 && talks < TALKS {
            talks += 1;
            floimg
                .comments(None, &post.id, COMMENTS, 0)
                .await
                .map_err(|problem| silent(config, url.as_str(), &problem))?
        } else {
            Vec::new()
        };
        copied.push((post, comments));
    }
    // Oldest first, as they came.
    copied.reverse();
    Ok(Gallery { url: url.to_string(), posts: copied })
}

/// Why the studio gave nothing to read.
pub(super) fn silent(config: &Config, url: &str, problem: &crate::floimg::error::Error) -> String {
    let cause = std::error::Error::source(problem).map(|cause| format!(": {cause}")).unwrap_or_default();
    match &config.floimg.studio {
        StudioAddress::Embedded => format!("the embedded studio is not running at {url}"),
        StudioAddress::Remote(_) => format!("the studio at {url} does not answer: {problem}{cause}"),
    }
}
