//! The client of FloImg's wire API: every call the fleet makes, in the model's own types.
//!
//! A call ends as a value or as one [`Error`] that says whether anything was done; a like, a comment, a share and a
//! run of a workflow are never sent twice.

mod gate;
mod interpret;
mod send;
mod wire;

pub mod error;
pub mod options;
pub mod signals;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderValue;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::bucket::Bucket;
use crate::floimg::error::{Error, StepIssue, Upstream};
use crate::floimg::gate::Gate;
use crate::floimg::interpret::{Effect, snippet, workflow_failure};
use crate::floimg::options::Options;
use crate::floimg::send::{Call, Sender, Server};
use crate::floimg::signals::Signals;
use crate::model::gallery::{Account, Comment, FeedQuery, Like, NewAccount, NewPost, Picture, Post, Step, Workflow};

/// How long what the workflow server offers counts as known.
const OFFER_KEPT: Duration = Duration::from_secs(600);
/// How long it counts as unknown after a failed look.
const OFFER_UNKNOWN_KEPT: Duration = Duration::from_secs(60);

/// A page of posts.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// In the order asked for.
    pub posts: Vec<Post>,
    /// Whether the page was full, so that there may be another; the gallery tells no total.
    pub may_have_more: bool,
}

/// What the workflow server offers; `None` is not known, and then nothing is refused for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Names of generators.
    pub generators: Option<Vec<String>>,
    /// Names of transforms.
    pub transforms: Option<Vec<String>>,
}

/// The client. Clones share limits, breakers and everything learned.
#[derive(Debug, Clone)]
pub struct Floimg {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    sender: Sender,
    generators: BTreeMap<String, String>,
    read_timeout: Duration,
    write_timeout: Duration,
    workflow_timeout: Duration,
    /// What is offered, and until when that counts.
    offer: Mutex<Option<(Capabilities, Instant)>>,
}

impl Floimg {
    /// Makes a client. Installs ring as the process's TLS provider unless there is one already.
    ///
    /// # Errors
    /// When an option is out of range, or TLS cannot be set up on this machine.
    pub fn new(options: Options) -> Result<Self, Error> {
        options.check()?;
        // `Err` means that the process has a provider, and then that one is right.
        let _ = rustls::crypto::ring::default_provider().install_default();

        let authorization = match options.token.expose() {
            "" => None,
            token => {
                let value = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| Error::Options {
                    option: "token",
                    found: "a text that no header can carry".to_owned(),
                    expected: "a token without line breaks and letters beyond ASCII; is there a line break at its end?",
                })?;
                Some(sensitive(value))
            }
        };
        let user_agent = format!("floimg-fleet/{}", options.user_agent_version);
        let user_agent = HeaderValue::from_str(&user_agent).map_err(|_| Error::Options {
            option: "user_agent_version",
            found: format!("{:?}", options.user_agent_version),
            expected: "a version in plain ASCII",
        })?;
        let workflows_url = options.workflows_url.unwrap_or_else(|| options.api_url.clone());
        let server = |url| Server::new(url, options.connect_timeout, options.max_concurrent);
        let now = Instant::now();
        let sender = Sender {
            api: server(options.api_url)?,
            workflows: server(workflows_url)?,
            authorization,
            user_agent,
            gate: Arc::new(Gate::new(options.clock.clone(), options.look_every)),
            clock: options.clock,
            reads: Bucket::new(options.reads_per_sec, now),
            writes: Bucket::new(options.writes_per_sec, now),
            max_reply_bytes: options.max_reply_bytes,
            retries: options.read_retries,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                sender,
                generators: options.generators,
                read_timeout: options.read_timeout,
                write_timeout: options.write_timeout,
                workflow_timeout: options.workflow_timeout,
                offer: Mutex::new(None),
            }),
        })
    }

    /// What the platform last said that concerns every bot, now and from here on.
    pub fn signals(&self) -> watch::Receiver<Signals> {
        self.inner.sender.gate.signals()
    }

    /// Looks whether the platform's pause is over, when it is time to; whoever waits for its end calls this now and then.
    ///
    /// # Errors
    /// When it is not over, or the gallery cannot be reached.
    pub async fn look_after_pause(&self) -> Result<(), Error> {
        if self.inner.sender.gate.may_look() {
            self.feed(None, &FeedQuery { limit: 1, ..FeedQuery::default() }).await?;
        }
        Ok(())
    }

    /// Forgets budgets, rate limits and the pause, for an operator who knows that they are over: the next call asks the
    /// platform itself.
    pub fn forget_stops(&self) {
        self.inner.sender.gate.forget();
    }

    /// Makes an account, or finds it made. It is always flagged as an agent.
    ///
    /// # Errors
    /// Any [`Error`]; it may be called again after each.
    pub async fn invite(&self, account: &NewAccount) -> Result<Account, Error> {
        let call = Call {
            effect: Effect::Repeatable,
            ..self.write(
                "invite an account",
                None,
                &["api", "admin", "users", "invite"],
                &wire::Invite::new(account),
            )?
        };
        let invited: wire::Invited = self.inner.sender.json(call, "an account with an id").await?;
        let username = invited.username.unwrap_or_else(|| account.username.clone());
        if username != account.username {
            warn!(asked = account.username, got = username, "the gallery gave the account another username");
        }
        Ok(Account { id: invited.id, username })
    }

    /// Deletes an account; one that is gone already is as good.
    ///
    /// # Errors
    /// Any [`Error`]; it may be called again after each.
    pub async fn delete_account(&self, id: &str) -> Result<(), Error> {
        let call = Call {
            what: "delete an account",
            upstream: Upstream::Api,
            effect: Effect::Repeatable,
            method: Method::DELETE,
            path: &["api", "admin", "users", id],
            query: Vec::new(),
            body: None,
            agent: None,
            timeout: self.inner.write_timeout,
        };
        match self.inner.sender.send(&call, |_| Ok(())).await {
            Err(Error::NotFound { .. }) => Ok(()),
            other => other,
        }
    }

    /// Runs a workflow and gives its last picture. The client adds the step that saves it.
    ///
    /// # Errors
    /// Any [`Error`]; after [`Error::OutcomeUnknown`] the run may have been charged.
    pub async fn execute(&self, agent: &str, workflow: &Workflow) -> Result<Picture, Error> {
        let last = sound(workflow)?;
        let instead = |wish| self.inner.generators.get(wish).map_or(wish, String::as_str);
        let mut steps: Vec<_> = workflow.steps.iter().map(|step| wire::StepBody::new(step, instead)).collect();
        self.offered(&steps, workflow).await?;
        steps.push(wire::StepBody::Save { input: last, destination: "cloud" });
        let body = wire::Execute { name: &workflow.name, steps };
        let what = "run a workflow";
        let call = Call {
            upstream: Upstream::Workflows,
            timeout: self.inner.workflow_timeout,
            ..self.write(what, Some(agent), &["api", "execute", "sync"], &body)?
        };
        let server = &self.inner.sender.workflows.url;
        self.inner
            .sender
            .send(&call, |body| {
                let bad = |expected: String| Error::BadReply { expected, snippet: snippet(body) };
                let done: wire::Executed = serde_json::from_slice(body)
                    .map_err(|error| bad(format!("the result of a workflow ({error})")))?;
                if done.status != "completed" {
                    let said = serde_json::json!({
                        "status": done.status, "error": done.error, "errorCode": done.error_code, "retryable": done.retryable,
                    });
                    let failed = workflow_failure(&said);
                    return Err(failed.unwrap_or_else(|| bad("a workflow that is `completed`".to_owned())));
                }
                // One picture for each step in their order: the finished one is the last.
                let Some(address) = done.image_urls.as_deref().and_then(<[String]>::last) else {
                    let message = "it completed without a picture".to_owned();
                    return Err(Error::WorkflowFailed { message, code: None, retryable: false });
                };
                let url = wire::absolute(server, address);
                let url = url.ok_or_else(|| bad("the address of a picture as the last of `imageUrls`".to_owned()))?;
                Ok(Picture { url, workflow_id: done.workflow_id })
            })
            .await
    }

    /// Shares a picture.
    ///
    /// # Errors
    /// Any [`Error`]; after [`Error::OutcomeUnknown`] it may be there.
    pub async fn share(&self, agent: &str, post: &NewPost) -> Result<Post, Error> {
        let call = self.write("share a post", Some(agent), &["api", "showcase"], &wire::Share::new(post))?;
        let shared: wire::Shared = self.inner.sender.json(call, "a post as `showcaseItem`").await?;
        Ok(shared.showcase_item.into_post(&self.inner.sender.api.url))
    }

    /// Gives a page of the gallery, as this account sees it when one is named.
    ///
    /// # Errors
    /// Any [`Error`] of a read.
    pub async fn feed(&self, agent: Option<&str>, query: &FeedQuery) -> Result<Page, Error> {
        let limit = query.limit.clamp(1, 100);
        let mut words = vec![
            ("limit", limit.to_string()),
            ("offset", query.offset.to_string()),
            ("sort", query.sort.as_str().to_owned()),
        ];
        words.extend(query.category.clone().map(|category| ("category", category)));
        words.extend(query.content_type.clone().map(|kind| ("contentType", kind)));
        let call = Call { query: words, ..self.read("read the feed", agent, &["api", "showcase"]) };
        let list: wire::Items = self.inner.sender.json(call, "a list of posts as `items`").await?;
        let may_have_more = list.items.len() >= limit as usize;
        Ok(Page { posts: self.posts(list.items), may_have_more })
    }

    /// Gives one post, as this account sees it when one is named.
    ///
    /// # Errors
    /// Any [`Error`] of a read.
    pub async fn post(&self, agent: Option<&str>, id: &str) -> Result<Post, Error> {
        let path = ["api", "showcase", id];
        let call = self.read("read a post", agent, &path);
        let one: wire::One = self.inner.sender.json(call, "a post as `item`").await?;
        Ok(one.item.into_post(&self.inner.sender.api.url))
    }

    /// Likes a post, or takes the like back: the call is a toggle.
    ///
    /// # Errors
    /// Any [`Error`]; after [`Error::OutcomeUnknown`], look before calling again.
    pub async fn toggle_like(&self, agent: &str, id: &str) -> Result<Like, Error> {
        let nothing = serde_json::json!({});
        let path = ["api", "showcase", id, "like"];
        let call = self.write("like a post", Some(agent), &path, &nothing)?;
        let liked: wire::Liked = self.inner.sender.json(call, "whether the post is `liked`").await?;
        Ok(liked.into())
    }

    /// Gives the comments under a post.
    ///
    /// # Errors
    /// Any [`Error`] of a read.
    pub async fn comments(
        &self,
        agent: Option<&str>,
        id: &str,
        limit: u32,
        offset: u32,
    ) -> Result<Vec<Comment>, Error> {
        let query = vec![("limit", limit.clamp(1, 100).to_string()), ("offset", offset.to_string())];
        let path = ["api", "showcase", id, "comments"];
        let call = Call { query, ..self.read("read comments", agent, &path) };
        let list: wire::Comments = self.inner.sender.json(call, "a list of comments as `comments`").await?;
        Ok(wire::each::<wire::Remark>(list.comments, "comment").into_iter().map(Comment::from).collect())
    }

    /// Writes a comment under a post.
    ///
    /// # Errors
    /// Any [`Error`]; after [`Error::OutcomeUnknown`] it may be there.
    pub async fn comment(&self, agent: &str, id: &str, content: &str) -> Result<Comment, Error> {
        let path = ["api", "showcase", id, "comments"];
        let call = self.write("write a comment", Some(agent), &path, &wire::Say { content })?;
        let commented: wire::Commented = self.inner.sender.json(call, "a comment as `comment`").await?;
        Ok(commented.comment.into())
    }

    /// Gives what an account has shared.
    ///
    /// # Errors
    /// Any [`Error`] of a read.
    pub async fn user_posts(&self, username: &str) -> Result<Vec<Post>, Error> {
        let path = ["api", "users", username, "showcase"];
        let call = self.read("read an account's posts", None, &path);
        let list: wire::Showcase = self.inner.sender.json(call, "a list of posts as `showcase`").await?;
        Ok(self.posts(list.showcase))
    }

    /// Gives what the workflow server offers. A server that does not tell offers what nobody knows; that is no error.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn capabilities(&self) -> Result<Capabilities, Error> {
        // Held while asking, so that many bots ask once.
        let mut offer = self.inner.offer.lock().await;
        if let Some((known, until)) = &*offer
            && Instant::now() < *until
        {
            return Ok(known.clone());
        }
        let found = async {
            let generators = self.names("generators", &["api", "nodes", "generators"]).await?;
            let transforms = self.names("transforms", &["api", "nodes", "transforms"]).await?;
            Ok(Capabilities { generators, transforms })
        }
        .await;
        let kept = if found.is_ok() { OFFER_KEPT } else { OFFER_UNKNOWN_KEPT };
        // After a failed look the last known offer stands for a while: it is likelier than none.
        let known = match &found {
            Ok(known) => known.clone(),
            Err(_) => offer.take().map(|(known, _)| known).unwrap_or_default(),
        };
        *offer = Some((known, Instant::now() + kept));
        found
    }

    async fn names(&self, what: &'static str, path: &[&str]) -> Result<Option<Vec<String>>, Error> {
        let call = Call { upstream: Upstream::Workflows, ..self.read("ask what the studio offers", None, path) };
        match self.inner.sender.json::<Value>(call, "a list of names").await {
            Ok(body) => Ok(wire::names(&body, what).filter(|names| !names.is_empty())),
            Err(Error::NotFound { .. } | Error::Rejected { .. } | Error::Forbidden { .. } | Error::BadReply { .. }) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Refuses a workflow with a step that the server is known not to offer.
    async fn offered(&self, steps: &[wire::StepBody<'_>], workflow: &Workflow) -> Result<(), Error> {
        let offer = match self.capabilities().await {
            Ok(offer) => offer,
            Err(error) => {
                debug!(%error, "could not learn what the studio offers");
                return Ok(());
            }
        };
        for (step, asked) in steps.iter().zip(&workflow.steps) {
            let (what, name, offered) = match step {
                wire::StepBody::Generate { generator, .. } => ("generator", *generator, &offer.generators),
                wire::StepBody::Transform { op, .. } => ("transform", *op, &offer.transforms),
                wire::StepBody::Save { .. } => continue,
            };
            let wish = match asked {
                Step::Generate { generator, .. } => generator,
                Step::Transform { op, .. } => op,
            };
            if let Some(offered) = offered
                && !offered.iter().any(|one| one == name)
            {
                return Err(Error::UnsupportedGenerator { what, wish: wish.clone(), offered: offered.clone() });
            }
        }
        Ok(())
    }

    fn posts(&self, items: Vec<Value>) -> Vec<Post> {
        let server = &self.inner.sender.api.url;
        wire::each::<wire::Item>(items, "post").into_iter().map(|item| item.into_post(server)).collect()
    }

    fn read<'a>(&self, what: &'static str, agent: Option<&'a str>, path: &'a [&'a str]) -> Call<'a> {
        Call {
            what,
            upstream: Upstream::Api,
            effect: Effect::Read,
            method: Method::GET,
            path,
            query: Vec::new(),
            body: None,
            agent,
            timeout: self.inner.read_timeout,
        }
    }

    fn write<'a>(
        &self,
        what: &'static str,
        agent: Option<&'a str>,
        path: &'a [&'a str],
        body: &impl Serialize,
    ) -> Result<Call<'a>, Error> {
        let body = serde_json::to_vec(body).map_err(|error| Error::Rejected {
            call: what,
            message: error.to_string(),
            fields: Vec::new(),
        })?;
        Ok(Call {
            what,
            upstream: Upstream::Api,
            effect: Effect::Once,
            method: Method::POST,
            path,
            query: Vec::new(),
            body: Some(body),
            agent,
            timeout: self.inner.write_timeout,
        })
    }
}

fn sensitive(mut value: HeaderValue) -> HeaderValue {
    value.set_sensitive(true);
    value
}

/// Checks that each step names its result once and takes one that is there, and gives the last result.
fn sound(workflow: &Workflow) -> Result<&str, Error> {
    let mut made: Vec<&str> = Vec::new();
    let mut issues = Vec::new();
    for (step, body) in (0..).zip(&workflow.steps) {
        let mut issue = |parameter: &str, message: String| {
            issues.push(StepIssue { step: Some(step), parameter: Some(parameter.to_owned()), message });
        };
        let out = match body {
            Step::Generate { out, .. } => out,
            Step::Transform { input, out, .. } => {
                if !made.contains(&input.as_str()) {
                    issue("in", format!("no step before this one makes `{input}`"));
                }
                out
            }
        };
        if out.is_empty() {
            issue("out", "the result needs a name".to_owned());
        } else if made.contains(&out.as_str()) {
            issue("out", format!("a step before this one makes `{out}` already"));
        }
        made.push(out);
    }
    if !workflow.steps.iter().any(|step| matches!(step, Step::Generate { .. })) {
        issues.push(StepIssue { step: None, parameter: None, message: "no step generates a picture".to_owned() });
    }
    match made.last() {
        Some(last) if issues.is_empty() => Ok(last),
        _ => Err(Error::WorkflowInvalid { message: "it cannot run".to_owned(), issues }),
    }
}
