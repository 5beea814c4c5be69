"""What a ticket is about and who is there -> the team or the person who gets it. Closed sets, the first fitting row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harken.domain.ticket import OwnerType, Ticket
from harken.kit.places import within
from harken.tickets.desk_file import Agent, Content, RouteRow

DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What routing looks at. `category` None, or one that nobody declared: only rows for every category fit."""

    category: str | None = None
    language: str = "und"
    urgency: int = 0
    jurisdiction: str = ""  #: empty: nobody knows
    tier: str = ""


def matter_of(ticket: Ticket, category: str | None, language: str, urgency: int) -> Matter:
    """What was read of it just now, and what was known of its customer when it was opened."""
    known = ticket.attributes
    place, tier = str(known.get("jurisdiction") or ""), str(known.get("tier") or "")
    return Matter(category=category, language=language, urgency=urgency, jurisdiction=place, tier=tier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Routed:
    owner: OwnerType
    owner_id: str
    team: str
    rule: str  #: the row that fitted, or `default`
    because: str


def route(matter: Matter, desk: Content, load: Mapping[str, int]) -> Routed:
    """`load`: agent -> open tickets they have. The team itself where nobody in it fits or has room."""
    row = next((row for row in desk.route if _fits(row, matter)), None)
    team, rule = (row.team, row.name) if row else (desk.routing.default, DEFAULT)
    agent = _agent(team, matter, desk.agent, load) if desk.routing.to_agents else None
    if agent is None:
        because = f"Route {rule}: for the team {team}."
        return Routed(owner=OwnerType.TEAM, owner_id=team, team=team, rule=rule, because=because)
    has = load.get(agent.name, 0)
    because = f"Route {rule}: for the team {team}, and {agent.name} has most room ({has} of {agent.most})."
    return Routed(owner=OwnerType.PERSON, owner_id=agent.name, team=team, rule=rule, because=because)


def _fits(row: RouteRow, matter: Matter) -> bool:
    return (
        (not row.categories or matter.category in row.categories)
        and (not row.languages or matter.language in row.languages)
        and (not row.jurisdictions or within(matter.jurisdiction, row.jurisdictions))
        and (not row.tiers or matter.tier in row.tiers)
        and matter.urgency >= row.urgency_from
    )


def _may_see(agent: Agent, matter: Matter) -> bool:
    known = agent.jurisdictions and matter.jurisdiction
    return not known or within(matter.jurisdiction, agent.jurisdictions)


def _agent(team: str, matter: Matter, agents: Sequence[Agent], load: Mapping[str, int]) -> Agent | None:
    """Of those who know the language, the subject and the law, the one whose desk is emptiest; by name where several are."""
    able = [
        agent
        for agent in agents
        if team in agent.teams
        and (not agent.languages or matter.language in agent.languages)
        and (not agent.skills or matter.category in agent.skills)
        and _may_see(agent, matter)
        and load.get(agent.name, 0) < agent.most
    ]
    return min(able, key=lambda agent: (load.get(agent.name, 0) / agent.most, agent.name), default=None)
