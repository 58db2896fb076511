"""A clerk at the back office, over real HTTP."""

import io
import re
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.demo import Demo


@dataclass
class Clerk:
    """Signs in once; then sends files and presses buttons."""

    demo: Demo
    host: str = "mairie"
    session: requests.Session = field(default_factory=requests.Session)

    def sign_in(self, email: str = "agent@example.net") -> "Clerk":
        """Through the ordinary page."""
        self._post("/", {"email": email, "password": "facture"}, page="/")
        return self

    def get(self, path: str) -> requests.Response:
        return self.session.get(self._url(path), headers=self._headers(), timeout=30, cookies=None)

    def send(self, rows: io.BytesIO, documents: io.BytesIO) -> str:
        """Send an import; returns the path of its page."""
        files = {"rows": ("factures.csv", rows), "documents": ("factures.zip", documents)}
        answer = self._post("/gestion/imports/nouveau/", {}, page="/gestion/imports/nouveau/", files=files)
        assert answer.status_code == 302, answer.text[:2000]
        return answer.headers["Location"]

    def press(self, path: str, act: str) -> None:
        """A button of an import's page."""
        assert self._post(f"{path}{act}/", {}, page=path).status_code == 302

    def _post(self, path: str, data: dict[str, Any], *, page: str, **more: Any) -> requests.Response:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(page).text)
        assert token, f"no form on {page}"
        return self.session.post(
            self._url(path),
            data={"csrfmiddlewaretoken": token[1], **data},
            headers=self._headers(),
            timeout=120,
            allow_redirects=False,
            **more,
        )

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.demo.home.ports.front}{path}"

    def _headers(self) -> dict[str, str]:
        return {"Host": f"{self.host}.localhost:{self.demo.home.ports.front}"}
