//! The gallery: everything the journal tells, in memory.
//!
//! It changes by [`Gallery::apply`] alone, so what is shown is always what a replay would show.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::journal::{Event, RecipeImage};
use super::wire::Stats;

/// Where an account stands in [`Gallery::accounts`].
pub(super) type AccountAt = u32;
/// Where an item stands in [`Gallery::items`].
pub(super) type ItemAt = u32;

/// Somebody who posts, likes or comments.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) username: String,
    pub(super) name: String,
    pub(super) is_agent: bool,
    pub(super) agent_id: Option<String>,
    pub(super) persona: Option<String>,
    pub(super) at: Timestamp,
    gone: bool,
    items: Vec<ItemAt>,
    /// The items it ever liked or commented on, so that its deletion need not look at all.
    touched: HashSet<ItemAt>,
}

/// A picture that was shared.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) account: AccountAt,
    pub(super) image: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) workflow: Option<String>,
    pub(super) remix_of: Option<String>,
    pub(super) at: Timestamp,
    pub(super) likes: HashMap<AccountAt, Timestamp>,
    pub(super) comments: Vec<Comment>,
    pub(super) views: u64,
    pub(super) forks: Vec<ItemAt>,
    gone: bool,
}

/// Something said under a picture.
#[derive(Debug)]
pub(super) struct Comment {
    pub(super) id: String,
    pub(super) account: AccountAt,
    pub(super) content: String,
    pub(super) at: Timestamp,
}

/// What draws the pictures of one execution.
#[derive(Debug)]
pub(super) struct Recipe {
    pub(super) workflow: String,
    account: Option<String>,
    pub(super) seed: String,
    pub(super) steps: Value,
    pub(super) images: Vec<RecipeImage>,
    at: Timestamp,
}

impl Recipe {
    /// The category that its generators suggest.
    pub(super) fn category(&self) -> Option<&'static str> {
        self.steps.as_array()?.iter().find_map(|step| match step.get("generator")?.as_str()? {
            "quickchart" | "mermaid" => Some("data-viz"),
            "qr" => Some("utilities"),
            _ => None,
        })
    }
}

/// How items are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Order {
    /// Newest first.
    #[default]
    Recent,
    /// Most liked first.
    Popular,
    /// What is liked now.
    Trending,
}

impl Order {
    /// All, as people are offered them.
    pub(super) const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Recent, "recent", "Recent"),
        (Self::Popular, "popular", "Popular"),
        (Self::Trending, "trending", "Trending"),
    ];

    /// The order of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, word, _)| *word == name).map(|(order, ..)| *order)
    }

    /// Its name.
    pub(super) fn word(self) -> &'static str {
        Self::ALL.iter().find(|(order, ..)| *order == self).map_or("recent", |(_, word, _)| word)
    }
}

/// Which items are asked for.
#[derive(Debug, Default)]
pub(super) struct Query<'a> {
    pub(super) order: Order,
    pub(super) limit: usize,
    pub(super) offset: usize,
    pub(super) category: Option<&'a str>,
    pub(super) content_type: Option<&'a str>,
}

/// How much there is of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Accounts that are there now.
    pub accounts: usize,
    /// Those of them that are flagged as run by software.
    pub agents: usize,
    /// Pictures shared and still shown.
    pub posts: usize,
    /// Likes that stand.
    pub likes: usize,
    /// Comments that stand.
    pub comments: usize,
    /// Pictures ever made.
    pub pictures: usize,
}

/// All accounts, items and recipes.
#[derive(Debug, Default)]
pub(super) struct Gallery {
    accounts: Vec<Account>,
    items: Vec<Item>,
    recipes: Vec<Arc<Recipe>>,
    account_ids: HashMap<String, AccountAt>,
    usernames: HashMap<String, AccountAt>,
    item_ids: HashMap<String, ItemAt>,
    images: HashMap<String, (usize, usize)>,
    workflows: HashMap<String, Vec<ItemAt>>,
    visitors: HashMap<String, AccountAt>,
    counts: Counts,
}

impl Gallery {
    /// Takes in what happened, or says why it cannot have happened.
    pub(super) fn apply(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Format { .. } | Event::Visitor { .. } | Event::Account { .. } | Event::Deletion { .. } => {
                self.apply_account(event)
            }
            Event::Recipe { workflow, account, seed, steps, images, at } => {
                for (index, image) in images.iter().enumerate() {
                    if self.images.insert(image.id.clone(), (self.recipes.len(), index)).is_some() {
                        return Err(format!("picture `{}` was made before", image.id));
                    }
                }
                self.counts.pictures += images.len();
                self.recipes.push(Arc::new(Recipe { workflow, account, seed, steps, images, at }));
                Ok(())
            }
            Event::Item { .. } => self.apply_item(event),
            Event::Like { item, account, at } => {
                let (item, account) = (self.item_at(&item)?, self.account_at(&account)?);
                if self.items[item as usize].likes.insert(account, at).is_some() {
                    return Err("a like that stands already".to_owned());
                }
                self.accounts[account as usize].touched.insert(item);
                self.counts.likes += 1;
                Ok(())
            }
            Event::Unlike { item, account, .. } => {
                let (item, account) = (self.item_at(&item)?, self.account_at(&account)?);
                if self.items[item as usize].likes.remove(&account).is_none() {
                    return Err("a like taken back that does not stand".to_owned());
                }
                self.counts.likes -= 1;
                Ok(())
            }
            Event::Comment { id, item, account, content, at } => {
                let (item, account) = (self.item_at(&item)?, self.account_at(&account)?);
                self.items[item as usize].comments.push(Comment { id, account, content, at });
                self.accounts[account as usize].touched.insert(item);
                self.counts.comments += 1;
                Ok(())
            }
            Event::Views { counts } => {
                for (id, count) in counts {
                    // An item may be gone by the time its views are written.
                    if let Some(&item) = self.item_ids.get(&id) {
                        let views = &mut self.items[item as usize].views;
                        *views = views.saturating_add(count);
                    }
                }
                Ok(())
            }
        }
    }

    fn apply_account(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Account { id, username, name, is_agent, agent_id, persona, at } => {
                if self.usernames.contains_key(&username) || self.account_ids.contains_key(&id) {
                    return Err(format!("an account `{username}` is there already"));
                }
                let index = AccountAt::try_from(self.accounts.len()).map_err(|_| "too many accounts".to_owned())?;
                self.usernames.insert(username.clone(), index);
                self.account_ids.insert(id.clone(), index);
                self.counts.accounts += 1;
                self.counts.agents += usize::from(is_agent);
                let (items, touched) = (Vec::new(), HashSet::new());
                let account =
                    Account { id, username, name, is_agent, agent_id, persona, at, gone: false, items, touched };
                self.accounts.push(account);
                Ok(())
            }
            Event::Visitor { key, account } => {
                let account = self.account_at(&account)?;
                self.visitors.insert(key, account);
                Ok(())
            }
            Event::Deletion { account, .. } => {
                let account = self.account_at(&account)?;
                self.delete(account);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn apply_item(&mut self, event: Event) -> Result<(), String> {
        let Event::Item { id, account, image, title, description, workflow, remix_of, at } = event else {
            return Ok(());
        };
        let account = self.account_at(&account)?;
        if !self.images.contains_key(&image) {
            return Err(format!("an item of picture `{image}`, which was never made"));
        }
        let index = ItemAt::try_from(self.items.len()).map_err(|_| "too many items".to_owned())?;
        if self.item_ids.insert(id.clone(), index).is_some() {
            return Err(format!("an item `{id}` is there already"));
        }
        if let Some(workflow) = &workflow {
            self.workflows.entry(workflow.clone()).or_default().push(index);
        }
        if let Some(parent) = remix_of.as_deref().and_then(|parent| self.item_ids.get(parent)) {
            self.items[*parent as usize].forks.push(index);
        }
        self.accounts[account as usize].items.push(index);
        self.counts.posts += 1;
        let (likes, comments, forks) = (HashMap::new(), Vec::new(), Vec::new());
        let gone = false;
        self.items.push(Item {
            id,
            account,
            image,
            title,
            description,
            workflow,
            remix_of,
            at,
            likes,
            comments,
            views: 0,
            forks,
            gone,
        });
        Ok(())
    }

    /// Takes an account out with its posts, comments and likes; a gap stays so that places keep their meaning.
    fn delete(&mut self, at: AccountAt) {
        let account = &mut self.accounts[at as usize];
        account.gone = true;
        let (items, touched) = (std::mem::take(&mut account.items), std::mem::take(&mut account.touched));
        self.usernames.remove(&account.username);
        self.account_ids.remove(&account.id);
        self.counts.accounts -= 1;
        self.counts.agents -= usize::from(account.is_agent);
        self.visitors.retain(|_, account| *account != at);
        for item in touched {
            let item = &mut self.items[item as usize];
            self.counts.likes -= usize::from(item.likes.remove(&at).is_some());
            let before = item.comments.len();
            item.comments.retain(|comment| comment.account != at);
            self.counts.comments -= before - item.comments.len();
        }
        for index in items {
            let item = &mut self.items[index as usize];
            item.gone = true;
            self.item_ids.remove(&item.id);
            self.counts.posts -= 1;
            self.counts.likes -= std::mem::take(&mut item.likes).len();
            self.counts.comments -= std::mem::take(&mut item.comments).len();
            let parent = item.remix_of.as_deref().and_then(|parent| self.item_ids.get(parent)).copied();
            if let Some(list) = item.workflow.as_deref().and_then(|workflow| self.workflows.get_mut(workflow)) {
                list.retain(|other| *other != index);
            }
            if let Some(parent) = parent {
                self.items[parent as usize].forks.retain(|fork| *fork != index);
            }
        }
    }

    fn account_at(&self, id: &str) -> Result<AccountAt, String> {
        self.account_ids.get(id).copied().ok_or_else(|| format!("account `{id}` is not there"))
    }

    fn item_at(&self, id: &str) -> Result<ItemAt, String> {
        self.item_ids.get(id).copied().ok_or_else(|| format!("item `{id}` is not there"))
    }

    /// The account at that place.
    pub(super) fn account(&self, at: AccountAt) -> &Account {
        &self.accounts[at as usize]
    }

    /// The account of that id.
    pub(super) fn account_by_id(&self, id: &str) -> Option<AccountAt> {
        self.account_ids.get(id).copied()
    }

    /// The account of that username.
    pub(super) fn account_named(&self, username: &str) -> Option<AccountAt> {
        self.usernames.get(username).copied()
    }

    /// The account of the browser with that key.
    pub(super) fn visitor(&self, key: &str) -> Option<AccountAt> {
        self.visitors.get(key).copied()
    }

    /// The item of that id.
    pub(super) fn item(&self, id: &str) -> Option<&Item> {
        self.item_ids.get(id).map(|at| &self.items[*at as usize])
    }

    /// The item at that place.
    pub(super) fn item_placed(&self, at: ItemAt) -> &Item {
        &self.items[at as usize]
    }

    /// The recipe of a picture, and which of its pictures that is.
    pub(super) fn recipe(&self, image: &str) -> Option<(&Arc<Recipe>, usize)> {
        self.images.get(image).map(|(recipe, index)| (&self.recipes[*recipe], *index))
    }

    /// The post that another post of this workflow by this account would be a remix of.
    pub(super) fn parent(&self, workflow: &str, account: AccountAt) -> Option<&Item> {
        let first = &self.items[*self.workflows.get(workflow)?.first()? as usize];
        (first.account != account).then_some(first)
    }

    /// How much there is.
    pub(super) fn counts(&self) -> Counts {
        self.counts
    }

    /// One page of items. An order by merit looks at every item once and sorts only what the page needs.
    pub(super) fn page(&self, query: &Query<'_>, now: Timestamp) -> Vec<&Item> {
        let wanted = |item: &&Item| {
            !item.gone
                && query.category.is_none_or(|category| {
                    self.recipe(&item.image).and_then(|(recipe, _)| recipe.category()) == Some(category)
                })
                && query.content_type.is_none_or(|kind| kind == kind_of(item))
        };
        let newest = self.items.iter().rev().filter(wanted);
        let end = query.offset.saturating_add(query.limit);
        match query.order {
            Order::Recent => newest.skip(query.offset).take(query.limit).collect(),
            Order::Popular => {
                let ranked = newest.enumerate();
                best(ranked.map(|(age, item)| ((Reverse((item.likes.len(), item.comments.len())), age), item)), end)
                    .into_iter()
                    .skip(query.offset)
                    .collect()
            }
            Order::Trending => {
                let ranked = newest.enumerate();
                best(ranked.map(|(age, item)| ((Reverse(Score(trend(item, now))), age), item)), end)
                    .into_iter()
                    .skip(query.offset)
                    .collect()
            }
        }
    }

    /// An account's items, newest first.
    pub(super) fn items_of(&self, at: AccountAt) -> impl Iterator<Item = &Item> {
        self.accounts[at as usize].items.iter().rev().map(|item| &self.items[*item as usize])
    }

    /// What an account's items have brought it.
    pub(super) fn stats(&self, at: AccountAt) -> Stats {
        self.items_of(at).fold(Stats::default(), |sum, item| Stats {
            showcase_count: sum.showcase_count + 1,
            likes_received: sum.likes_received + item.likes.len(),
            comments_received: sum.comments_received + item.comments.len(),
            views_received: sum.views_received.saturating_add(item.views),
            forks_received: sum.forks_received + item.forks.len(),
        })
    }

    /// All accounts that are there.
    pub(super) fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter().filter(|account| !account.gone)
    }

    /// All items that are there, oldest first.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| !item.gone)
    }

    /// About how many events [`Gallery::snapshot`] has.
    pub(super) fn size(&self) -> u64 {
        let counts = self.counts;
        let views = self.items.len();
        let sum = counts.accounts + self.visitors.len() + self.recipes.len() + counts.posts + views;
        (sum + counts.likes + counts.comments) as u64
    }

    /// The shortest list of events that makes this gallery again.
    pub(super) fn snapshot(&self) -> impl Iterator<Item = Event> + '_ {
        let accounts = self.accounts().map(|account| Event::Account {
            id: account.id.clone(),
            username: account.username.clone(),
            name: account.name.clone(),
            is_agent: account.is_agent,
            agent_id: account.agent_id.clone(),
            persona: account.persona.clone(),
            at: account.at,
        });
        let visitors = self
            .visitors
            .iter()
            .map(|(key, account)| Event::Visitor { key: key.clone(), account: self.account(*account).id.clone() });
        let recipes = self.recipes.iter().map(|recipe| Event::Recipe {
            workflow: recipe.workflow.clone(),
            account: recipe.account.clone(),
            seed: recipe.seed.clone(),
            steps: recipe.steps.clone(),
            images: recipe.images.clone(),
            at: recipe.at,
        });
        let items = self.items().map(|item| Event::Item {
            id: item.id.clone(),
            account: self.account(item.account).id.clone(),
            image: item.image.clone(),
            title: item.title.clone(),
            description: item.description.clone(),
            workflow: item.workflow.clone(),
            remix_of: item.remix_of.clone(),
            at: item.at,
        });
        accounts.chain(visitors).chain(recipes).chain(items).chain(self.items().flat_map(|item| self.around(item)))
    }

    fn around<'a>(&'a self, item: &'a Item) -> impl Iterator<Item = Event> + 'a {
        let likes = item.likes.iter().map(|(account, at)| Event::Like {
            item: item.id.clone(),
            account: self.account(*account).id.clone(),
            at: *at,
        });
        let comments = item.comments.iter().map(|comment| Event::Comment {
            id: comment.id.clone(),
            item: item.id.clone(),
            account: self.account(comment.account).id.clone(),
            content: comment.content.clone(),
            at: comment.at,
        });
        let views = (item.views > 0).then(|| Event::Views { counts: vec![(item.id.clone(), item.views)] });
        likes.chain(comments).chain(views)
    }
}

/// What an item is called in the platform's list of content types.
pub(super) fn kind_of(item: &Item) -> &'static str {
    if item.workflow.is_some() { "image_workflow" } else { "image" }
}

/// A finite number that can be sorted by.
#[derive(Debug, PartialEq)]
struct Score(f64);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

fn trend(item: &Item, now: Timestamp) -> f64 {
    let hours = now.duration_since(item.at).as_secs_f64().max(0.0) / 3600.0;
    let liked = 1.0 + item.likes.len() as f64 + 2.0 * item.comments.len() as f64 + 3.0 * item.forks.len() as f64;
    liked / (hours + 2.0).powf(1.5)
}

/// The first `count` by key, in order.
fn best<'a, K: Ord>(ranked: impl Iterator<Item = (K, &'a Item)>, count: usize) -> Vec<&'a Item> {
    let mut ranked: Vec<_> = ranked.collect();
    if count == 0 {
        return Vec::new();
    }
    if count < ranked.len() {
        ranked.select_nth_unstable_by(count - 1, |a, b| a.0.cmp(&b.0));
        ranked.truncate(count);
    }
    ranked.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    ranked.into_iter().map(|(_, item)| item).collect()
}
