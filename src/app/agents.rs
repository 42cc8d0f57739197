//! `fleet agents`: the accounts of this fleet, for those who count people.
//!
//! A fleet need not run for it.

use anyhow::Context;
use url::Url;

use crate::clock::Clock;
use crate::config::{Config, StudioAddress};
use crate::floimg::Floimg;
use crate::store::{BotRow, Store};

/// Every bot there ever was, for `fleet agents`.
///
/// # Errors
/// When there is no data yet, or it cannot be read.
pub async fn all(config: &Config) -> anyhow::Result<Vec<BotRow>> {
    let store = open_existing(config).await?;
    let mut bots = store.bots().await?;
    store.close().await;
    if let Some(tried) = open_tried(config).await? {
        bots.extend(tried.bots().await?);
        tried.close().await;
    }
    Ok(bots)
}

/// Deletes the accounts of bots that left the roster; answers how many.
///
/// # Errors
/// When the studio or the store cannot be reached.
pub async fn prune(config: &Config) -> anyhow::Result<u64> {
    let store = open_existing(config).await?;
    let (api_url, token) = match &config.floimg.studio {
        StudioAddress::Embedded => {
            (Url::parse(&format!("http://{}", config.studio.listen))?, super::embedded_token(config)?)
        }
        StudioAddress::Remote(url) => {
            (url.clone(), config.floimg.token.clone().context("the service token is missing")?)
        }
    };
    let floimg = Floimg::new(super::floimg_options(config, api_url, token, Clock::wall()))?;
    let retired = store.bots().await?.into_iter().filter(|bot| bot.retired_at.is_some()).collect();
    let mut deleted = delete(&floimg, &store, retired).await?;
    store.close().await;
    if let Some(tried) = open_tried(config).await? {
        // No roster ever had them.
        deleted += delete(&floimg, &tried, tried.bots().await?).await?;
        tried.close().await;
    }
    Ok(deleted)
}

async fn delete(floimg: &Floimg, store: &Store, bots: Vec<BotRow>) -> anyhow::Result<u64> {
    let mut deleted = 0;
    for bot in bots {
        if let Some(account) = &bot.account {
            floimg
                .delete_account(account)
                .await
                .with_context(|| format!("could not delete the account of {}", bot.id))?;
            store.set_account(&bot.id, None).await?;
            deleted += 1;
        }
    }
    Ok(deleted)
}

/// The bots of `fleet try`, which have accounts too.
async fn open_tried(config: &Config) -> anyhow::Result<Option<Store>> {
    let database = config.data_dir.join(super::trying::FOLDER).join("fleet.db");
    Ok(if database.is_file() { Some(Store::open(&database).await?) } else { None })
}

async fn open_existing(config: &Config) -> anyhow::Result<Store> {
    let database = config.data_dir.join("fleet.db");
    anyhow::ensure!(
        database.is_file(),
        "there is no fleet in `{}` yet\nhint: run `fleet run` first, or name its folder with --data",
        config.data_dir.display()
    );
    Ok(Store::open(&database).await?)
}
