"""What each agent's results depend on: whatever of it changes makes them stale, and those of the agents after it."""

from memory.staleness import AgentNeeds

AGENTS = (
    AgentNeeds(
        agent="category_expert",
        prompts=("category_expert", "category_expert_template"),
        uses=("taxonomy_version", "encoder"),
    ),
    AgentNeeds(
        agent="attribute_extractor",
        prompts=("attribute_extractor",),
        aids=("calibration", "cascade", "demonstrations", "escalation", "look_up", "student"),
        after=("category_expert",),
    ),
    AgentNeeds(
        agent="critic",
        prompts=("critic",),
        aids=("abstention",),
        after=("attribute_extractor",),
        uses=("max_revisions",),
    ),
    AgentNeeds(agent="demand_analyst", prompts=("demand_analyst",), after=("critic",)),
    AgentNeeds(agent="demand_critic", prompts=("demand_critic",), after=("demand_analyst",), uses=("encoder",)),
    AgentNeeds(agent="summarizer", prompts=("summarizer",), after=("critic",)),
)

# Whose word decides what is known: where its results stay as they are, so do the attributes that are known.
DECIDES = "critic"
