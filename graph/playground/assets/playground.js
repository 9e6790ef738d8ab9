// Starts GraphiQL. Everything goes over POST; subscriptions come back as server-sent events, which, unlike a websocket, take the
// headers of the editor. Sign in with the query below and put the token into the headers.
"use strict";
(function () {
  var endpoint = "/graphql";

  var firstQuery = [
    "# 1. Sign in (or signUp), and copy the accessToken.",
    "# 2. In the Headers tab below: {\"Authorization\": \"Bearer <accessToken>\"}",
    "# 3. Query the invoices, or follow one: subscription { extractions { stage percent message } }",
    "mutation SignIn($input: SignInInput!) {",
    "  signIn(input: $input) {",
    "    session { accessToken expiresAt }",
    "    viewer { name }",
    "  }",
    "}",
    "",
    "query Invoices {",
    "  invoices(first: 10) {",
    "    totalCount",
    "    nodes { id status issuer { name } totals { due { formatted } } items { description quantity total { formatted } } }",
    "  }",
    "}",
    ""
  ].join("\n");

  function isSubscription(params) {
    var name = params.operationName;
    return (params.documentAST ? params.documentAST.definitions : []).some(function (d) {
      return d.kind === "OperationDefinition" && d.operation === "subscription" && (!name || (d.name && d.name.value === name));
    });
  }

  function request(params, headers, accept, signal) {
    return fetch(endpoint, {
      method: "POST",
      headers: Object.assign({ "Content-Type": "application/json", Accept: accept }, headers),
      body: JSON.stringify(params),
      signal: signal
    });
  }

  // subscribe yields the data of each "next" event until "complete".
  async function* subscribe(params, headers) {
    var stop = new AbortController();
    try {
      var response = await request(params, headers, "text/event-stream", stop.signal);
      if (!response.ok) {
        yield await response.json();
        return;
      }
      var reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      var buffer = "";
      for (;;) {
        var chunk = await reader.read();
        if (chunk.done) return;
        buffer += chunk.value;
        var end;
        while ((end = buffer.indexOf("\n\n")) >= 0) {
          var lines = buffer.slice(0, end).split("\n");
          buffer = buffer.slice(end + 2);
          if (lines.indexOf("event: complete") >= 0) return;
          for (var i = 0; i < lines.length; i++) {
            if (lines[i].indexOf("data: ") === 0) yield JSON.parse(lines[i].slice(6));
          }
        }
      }
    } finally {
      stop.abort();
    }
  }

  function fetcher(params, options) {
    var headers = (options && options.headers) || {};
    var body = { query: params.query, variables: params.variables, operationName: params.operationName };
    if (isSubscription(Object.assign({ documentAST: options && options.documentAST }, body))) return subscribe(body, headers);
    return request(body, headers, "application/json").then(function (r) { return r.json(); });
  }

  ReactDOM.createRoot(document.getElementById("graphiql")).render(
    React.createElement(GraphiQL, {
      fetcher: fetcher,
      defaultQuery: firstQuery,
      defaultEditorToolsVisibility: "headers",
      shouldPersistHeaders: false // a token does not belong into the browser's storage
    })
  );
})();
