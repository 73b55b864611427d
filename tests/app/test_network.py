"""Which proxy a request goes through, and what is said about a certificate."""

import ssl

import pytest

from bot.network import certificate_problem, proxy_for

PROXY = "http://proxy.example.com:3128"
SLACK, PBX = "https://slack.example.com/api/", "https://pbx.example.com"


def test_without_a_proxy_everything_goes_straight() -> None:
    assert proxy_for(SLACK, {}) is None


@pytest.mark.parametrize("url", [SLACK, PBX, "wss://wss-primary.example.com/link?ticket=1"])
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_what_is_encrypted_takes_the_proxy_for_it(url: str, name: str) -> None:
    assert proxy_for(url, {name: PROXY, "HTTP_PROXY": "http://other.example.com"}) == PROXY


@pytest.mark.parametrize("url", ["http://slack.example.com/", "ws://slack.example.com/link"])
def test_what_is_not_encrypted_takes_the_other_one(url: str) -> None:
    assert proxy_for(url, {"HTTP_PROXY": PROXY, "HTTPS_PROXY": "http://other.example.com"}) == PROXY


def test_a_proxy_without_a_scheme_is_an_http_proxy() -> None:
    assert proxy_for(SLACK, {"HTTPS_PROXY": " proxy.example.com:3128\n"}) == PROXY


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize("listed", ["pbx.example.com", ".example.com", "other.example.org, pbx.example.com", "*"])
def test_what_no_proxy_names_goes_straight(name: str, listed: str) -> None:
    assert proxy_for(PBX, {"HTTPS_PROXY": PROXY, name: listed}) is None


def test_no_proxy_takes_nothing_from_others() -> None:
    assert proxy_for(SLACK, {"HTTPS_PROXY": PROXY, "NO_PROXY": "pbx.example.com"}) == PROXY


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "[::1]:8080", "localhost:8080", "demo.localhost"])
@pytest.mark.parametrize("scheme", ["http", "https", "ws"])
def test_this_machine_is_never_reached_through_a_proxy(scheme: str, host: str) -> None:
    assert proxy_for(f"{scheme}://{host}/", {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY}) is None


def test_a_certificate_error_that_has_no_number_is_said_as_not_accepted() -> None:
    assert certificate_problem(ssl.CertificateError("a text of the library's")) == "not accepted"
