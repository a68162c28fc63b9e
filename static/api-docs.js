// The API documentation: Swagger UI for the schema of this site. Requests of a logged-in user have the CSRF token.
"use strict";

const root = document.getElementById("api-docs");

window.SwaggerUIBundle({
  url: root.dataset.schema,
  domNode: root,
  presets: [window.SwaggerUIBundle.presets.apis],
  // Without links in the buttons that open an operation: a control in a control cannot be reached (WCAG 4.1.2).
  plugins: [() => ({ wrapComponents: { DeepLink: () => ({ text }) => text } })],
  layout: "BaseLayout",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  persistAuthorization: false, // an entered key is not stored
  validatorUrl: null, // no request to a third party
  requestInterceptor: (request) => {
    const isSameOrigin = new URL(request.url, window.location.href).origin === window.location.origin;
    if (isSameOrigin && !["GET", "HEAD"].includes((request.method || "GET").toUpperCase())) {
      request.headers["X-CSRFToken"] = root.dataset.csrf;
    }
    return request;
  },
});
