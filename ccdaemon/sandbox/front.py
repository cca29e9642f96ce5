"""From a request to its delivery: fault rules, routes, refusals, the journal and the observer."""

import logging
from collections.abc import Callable
from dataclasses import replace

from ccdaemon.sandbox.faults import Faults, Rule, afterwards, instead
from ccdaemon.sandbox.journal import Journal
from ccdaemon.sandbox.refusals import crash, length_required, refusal
from ccdaemon.sandbox.server import Delivery
from ccdaemon.sandbox.wire import Answer, Found, Refusal, Request, Routes
from ccdaemon.sandbox.world import World

CONTROL_HOST = "__sandbox__"

logger = logging.getLogger(__name__)

Observer = Callable[[Request, Answer], None]
"""Told of every answer as the route gave it, before a fault spoils it."""


class Front:
    """The service behind the server's socket."""

    def __init__(
        self,
        *,
        world: World,
        routes: Routes,
        control: Routes,
        faults: Faults,
        journal: Journal,
        person_of: Callable[[Request], str | None],
        observer: Observer | None = None,
    ) -> None:
        self._world = world
        self._routes = routes
        self._control = control
        self._faults = faults
        self._journal = journal
        self._person_of = person_of
        self._observer = observer

    def __call__(self, request: Request) -> Delivery:
        """Deliver; never raises."""
        if request.host == CONTROL_HOST:
            return Delivery(answer=self._routed(request, self._control)[0])
        person = self._person_of(request)
        with self._world.lock:
            rule = self._faults.of(request, person)
        if rule is None or rule.runs_route:
            answer, template = self._routed(request, self._routes)
            if self._observer is not None:
                self._observer(request, answer)
            delivery = Delivery(answer=answer) if rule is None else afterwards(rule, answer)
        else:
            template = self._template(request)
            delivery = instead(rule, request)
        self._note(request, delivery, template, person or self._person_of(request), rule)
        return delivery

    def _routed(self, request: Request, routes: Routes) -> tuple[Answer, str | None]:
        """The route's answer, else the provider's refusal; and the route's template."""
        now = self._world.clock.now()
        found = routes.find(replace(request, method="GET") if request.method == "HEAD" else request)
        if not isinstance(found, Found):
            return refusal(request, found, routes.hosts, now), None
        unmeasured = length_required(request)
        if unmeasured is not None:
            return unmeasured, found.template
        try:
            return found.action(request, **found.variables), found.template
        except Refusal as refused:
            return refused.answer, found.template
        except Exception:
            self._journal.crashes += 1
            logger.exception("route %s %s crashed", request.host, found.template)
            return crash(request, now), found.template

    def _template(self, request: Request) -> str | None:
        found = self._routes.find(request)
        return found.template if isinstance(found, Found) else None

    def _note(
        self, request: Request, delivery: Delivery, template: str | None, person: str | None, rule: Rule | None
    ) -> None:
        answered = not (delivery.reset or delivery.hang_seconds)
        self._journal.add(
            request,
            at=self._world.clock.now(),
            template=template,
            status=delivery.answer.status if answered else None,
            person=person,
            fault=rule.id if rule is not None else None,
        )
