//! What a budget has to say: in the log, and as an activity that the page and plugins hear of.
//!
//! Each thing is said once in a period, also after a restart.

use serde_json::json;
use tracing::warn;

use crate::model::activity::{Ending, NewActivity};
use crate::model::name::BotId;
use crate::model::spend::Scope;
use crate::store::{CutOff, Full, Told};

use super::Budget;
use super::refused::{reason, used};

impl Budget {
    pub(super) async fn tell(&self, full: &Full, told: Told) {
        let cap = &full.cap;
        let (what, most) = (used(full), cap.limit);
        let each = cap.period.as_str();
        let text = match told {
            Told::Warned => format!("{}: {what} of {most} used this {each}", cap.whose()),
            Told::Cheaper => format!("{}: {what} of {most} used this {each}; the cheaper model writes", cap.whose()),
            Told::Full => {
                let then =
                    if cap.at_end == crate::model::spend::AtEnd::Sleep { "bots sleep" } else { "templates write" };
                format!("{}: used up, {what} of {most}; {then}", reason(full))
            }
        };
        warn!(scope = cap.scope.as_str(), name = cap.name, period = each, "{text}");
        let bot: Option<BotId> = cap.name.as_deref().filter(|_| cap.scope == Scope::Bot).and_then(|id| id.parse().ok());
        let persona = match (cap.scope, &cap.name) {
            (Scope::Persona, Some(name)) => name.parse().ok(),
            _ => bot.as_ref().map(|bot| bot.persona.clone()),
        };
        self.inner
            .journal
            .record(NewActivity {
                at: self.inner.bots_clock.now(),
                bot,
                persona,
                kind: format!("budget_{}", told.as_str()),
                ending: if told == Told::Full { Ending::Refused } else { Ending::Done },
                target: String::new(),
                text,
                detail: json!({
                    "scope": cap.scope.as_str(), "name": cap.name, "period": each, "limit": most.to_string(),
                    "used": what, "until": full.until.to_string(), "at_end": cap.at_end.as_str(),
                }),
            })
            .await;
    }

    pub(super) async fn tell_cut_off(&self, cut_off: CutOff) {
        let text = format!(
            "{} under way when the process ended; {} charged in full, {}",
            if cut_off.calls == 1 {
                "1 call to a model was".to_owned()
            } else {
                format!("{} calls to models were", cut_off.calls)
            },
            if cut_off.calls == 1 { "it is" } else { "they are" },
            cut_off.charge.money
        );
        warn!("{text}");
        self.inner
            .journal
            .record(NewActivity {
                at: self.inner.bots_clock.now(),
                bot: None,
                persona: None,
                kind: "spend_cut_off".to_owned(),
                ending: Ending::Unknown,
                target: String::new(),
                text,
                detail: json!({ "calls": cut_off.calls, "money": cut_off.charge.money.to_string(), "tokens": cut_off.charge.tokens }),
            })
            .await;
    }
}
