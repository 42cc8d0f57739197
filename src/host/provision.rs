//! Accounts: every bot gets one before its first action, flagged as an agent.

use std::sync::Arc;

use serde_json::json;

use crate::model::activity::{Ending, NewActivity};
use crate::model::gallery::NewAccount;
use crate::model::name::BotId;

use super::World;
use super::identity::Profile;
use super::refusal::Refusal;

impl World {
    /// Asks the gallery for a bot's account and keeps its id. Asking twice does no harm.
    ///
    /// # Errors
    /// What the gallery or the store said.
    pub async fn provision(self: &Arc<Self>, bot: &BotId, profile: &Profile) -> Result<String, Refusal> {
        let account = NewAccount {
            agent_id: bot.to_string(),
            name: profile.name.clone(),
            username: profile.username.clone(),
            persona: bot.persona.as_str().to_owned(),
        };
        let account =
            self.floimg.invite(&account).await.map_err(|error| Refusal::of_gallery(&error, self.clock.now()))?;
        let is_new = self.store.set_account(bot, Some(account.id.clone())).await?;
        self.crash.reached("bot:provisioned");
        if !is_new {
            return Ok(account.id);
        }
        self.journal
            .record(NewActivity {
                at: self.clock.now(),
                bot: Some(bot.clone()),
                persona: Some(bot.persona.clone()),
                kind: "provisioned".to_owned(),
                ending: Ending::Done,
                target: String::new(),
                text: format!("{} joined as @{}", profile.name, profile.username),
                detail: json!({ "account": account.id }),
            })
            .await;
        Ok(account.id)
    }
}
