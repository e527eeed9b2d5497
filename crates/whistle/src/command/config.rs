//! `whistle config`: the settings.

use clap::Args;

use crate::{
    config::{Layers, ServeFlags, example, unknown_variables, variable},
    failure::Result,
    output,
};

pub(super) const EXAMPLE: &str = "Defaults are weaker than the file, the file than WHISTLE_… variables, these than \
    flags. What is secret is not shown.\n\
    Example: whistle config --example > whistle.toml";

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Print a commented file with every setting instead
    #[arg(long)]
    example: bool,
    /// Print JSON
    #[arg(long, conflicts_with = "example")]
    json: bool,
    #[command(flatten)]
    pub(super) serve: ServeFlags,
}

impl Show {
    pub(super) fn run(&self, layers: &Layers) -> Result<()> {
        let settings = layers.standing();
        if self.example {
            output::line(example().trim_end());
            return Ok(());
        }
        if self.json {
            output::json(&settings);
        } else {
            for setting in &settings {
                let shown = |text: &str| match text {
                    "" => "(not set)".to_owned(),
                    text => text.to_owned(),
                };
                output::line(format!("{} = {}", setting.name, shown(&setting.value)));
                output::line(format!("    {}", setting.meaning));
                output::line(format!(
                    "    from {}; default {}; {}",
                    setting.from,
                    shown(setting.default),
                    variable(setting.name)
                ));
            }
        }
        for name in unknown_variables() {
            eprintln!("warning: {name} is set and is no setting of Whistle");
        }
        // Shown first, so that the wrong value can be seen beside the others.
        layers.config().map(drop)
    }
}
