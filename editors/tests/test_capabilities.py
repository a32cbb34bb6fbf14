"""Each capability over the wire, with a client that checks every message against the protocol's own model."""

import os
import pathlib

import pytest
import pytest_lsp
from lsprotocol import types as lsp
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

TEXT = """topology t {
  activemq = "6.2"
}

site a {
  broker b {
    host = "b"
    listen openwire { port = 61616 }
    store kahadb { directory = "/srv/b" }
  }
  client c { brokers = [b] }
}
"""


@pytest_lsp.fixture(
    params=["neovim", "visual_studio_code"],
    config=ClientServerConfig(server_command=[os.environ["TOPOC"], "lsp"]),
)
async def client(request, lsp_client: LanguageClient, tmp_path_factory):
    root = tmp_path_factory.mktemp("root")
    (root / "main.topo").write_text(TEXT)
    lsp_client.path = root / "main.topo"
    params = lsp.InitializeParams(
        capabilities=client_capabilities(request.param),
        workspace_folders=[lsp.WorkspaceFolder(uri=root.as_uri(), name="root")],
    )
    # Findings are pushed to clients that do not ask for them.
    params.capabilities.text_document.diagnostic = None
    general = params.capabilities.general
    lsp_client.offered = general.position_encodings or [] if general else []
    lsp_client.answer = await lsp_client.initialize_session(params)
    yield
    await lsp_client.shutdown_session()


def document(client):
    return lsp.TextDocumentIdentifier(uri=client.path.as_uri())


async def opened(client, text=TEXT):
    item = lsp.TextDocumentItem(uri=client.path.as_uri(), language_id="topo", version=1, text=text)
    client.text_document_did_open(lsp.DidOpenTextDocumentParams(text_document=item))
    await client.wait_for_notification("textDocument/publishDiagnostics")
    return client.diagnostics[client.path.as_uri()]


def at(line, character):
    return lsp.Position(line=line, character=character)


async def test_findings(client: LanguageClient):
    found = await opened(client, TEXT.replace("host =", "hots ="))
    assert [one.code for one in found] == ["TOPO0003"]
    assert found[0].range.start == at(6, 4)
    assert found[0].source == "topoc"
    change = lsp.TextDocumentContentChangePartial(range=lsp.Range(start=at(6, 4), end=at(6, 8)), text="host")
    name = lsp.VersionedTextDocumentIdentifier(uri=client.path.as_uri(), version=2)
    client.text_document_did_change(lsp.DidChangeTextDocumentParams(text_document=name, content_changes=[change]))
    await client.wait_for_notification("textDocument/publishDiagnostics")
    assert all(one.code != "TOPO0003" for one in client.diagnostics[client.path.as_uri()])


async def test_pulled_findings(client: LanguageClient):
    await opened(client, TEXT.replace("host =", "hots ="))
    report = await client.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(text_document=document(client)))
    assert [one.code for one in report.items] == ["TOPO0003"]
    everything = await client.workspace_diagnostic_async(lsp.WorkspaceDiagnosticParams(previous_result_ids=[]))
    assert [one.uri for one in everything.items] == [client.path.as_uri()]


async def actions(client, only=None):
    params = lsp.CodeActionParams(
        text_document=document(client),
        range=lsp.Range(start=at(0, 0), end=at(12, 0)),
        context=lsp.CodeActionContext(diagnostics=[], only=only),
    )
    return await client.text_document_code_action_async(params)


def edits(client, action):
    """The edits of the open document: for its version 1 where the client takes versions."""
    can = client.capabilities.workspace.workspace_edit
    if not (can and can.document_changes):
        assert action.edit.document_changes is None
        return action.edit.changes[client.path.as_uri()]
    assert action.edit.changes is None
    [change] = action.edit.document_changes
    assert (change.text_document.uri, change.text_document.version) == (client.path.as_uri(), 1)
    return change.edits


async def test_code_actions(client: LanguageClient):
    await opened(client, TEXT.replace("host =", "hots ="))
    fixes = [action for action in await actions(client) if action.is_preferred]
    assert [edit.new_text for edit in edits(client, fixes[0])] == ["host"]
    every = await actions(client, ["source.fixAll"])
    assert [action.kind for action in every] == ["source.fixAll.topoc"]


async def test_allowing(client: LanguageClient):
    await opened(client, TEXT.replace("port = 61616", 'uri = "failover:(tcp://b:1)"'))
    allow = [action for action in await actions(client) if "Allow TOPO0101" in action.title]
    text = edits(client, allow[0])[0].new_text
    assert text.startswith('    // topoc: allow(TOPO0101) reason="')


async def test_formatting(client: LanguageClient):
    await opened(client, TEXT.replace("    host =", "  host  ="))
    options = lsp.FormattingOptions(tab_size=2, insert_spaces=True)
    params = lsp.DocumentFormattingParams(text_document=document(client), options=options)
    edits = await client.text_document_formatting_async(params)
    assert [(edit.range.start.line, edit.new_text) for edit in edits] == [(6, '    host = "b"\n')]


async def test_hover(client: LanguageClient):
    await opened(client)
    params = lsp.HoverParams(text_document=document(client), position=at(7, 24))
    hover = await client.text_document_hover_async(params)
    assert hover.contents.kind == "markdown"
    assert "the port it binds" in hover.contents.value


async def test_definition(client: LanguageClient):
    await opened(client)
    params = lsp.DefinitionParams(text_document=document(client), position=at(10, 24))
    found = await client.text_document_definition_async(params)
    assert found.range.start == at(5, 9)


async def test_outline(client: LanguageClient):
    await opened(client)
    params = lsp.DocumentSymbolParams(text_document=document(client))
    outline = await client.text_document_document_symbol_async(params)
    assert [symbol.name for symbol in outline] == ["t", "a"]
    assert [symbol.name for symbol in outline[1].children] == ["b", "c"]


@pytest.mark.parametrize(
    "typed,first",
    [("    di|", "distribution"), ("    listen x { port = 1; via = | }", "direct"), ("  }\n  client d { brokers = [|", "b")],
)
async def test_completion(client: LanguageClient, typed, first):
    lines = TEXT.splitlines()
    lines[7:7] = typed.replace("|", "").split("\n")
    await opened(client, "\n".join(lines))
    line = 7 + typed.count("\n")
    column = typed.split("\n")[-1].index("|")
    params = lsp.CompletionParams(text_document=document(client), position=at(line, column))
    items = await client.text_document_completion_async(params)
    labels = [item.label for item in sorted(items, key=lambda item: item.sort_text)]
    assert first in labels
    if typed.endswith(("[|", "| }")):
        assert labels[0] == first


async def test_what_was_agreed_on(client: LanguageClient):
    can = client.answer.capabilities
    assert can.text_document_sync.change == lsp.TextDocumentSyncKind.Incremental
    assert can.position_encoding == ("utf-8" if "utf-8" in client.offered else "utf-16")
    await opened(client)
