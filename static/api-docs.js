// The API's documentation: Swagger UI over our own schema. Requests of a person who is logged in carry the CSRF token.
"use strict";

const place = document.getElementById("api-docs");

window.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false, // a key typed here is forgotten when the page is left
  validatorUrl: null, // no third party is asked
  requestInterceptor: (request) => {
    const isOurs = new URL(request.url, window.location.href).origin === window.location.origin;
    if (isOurs && !["GET", "HEAD"].includes((request.method || "GET").toUpperCase())) {
      request.headers["X-CSRFToken"] = place.dataset.csrf;
    }
    return request;
  },
});
