// The peer: the same question and the same answer, made with claudia-bot-builder as its documentation shows.
const http = require("http");
const https = require("https");
const { createHmac } = require("crypto");

// Its calls to graph.facebook.com go to the stub, in the form that Facebook takes today.
const { GRAPH_API_URL, GRAPH_API_VERSION, PAGE_ID, facebookAccessToken, facebookAppSecret } = process.env;
const stub = new URL(GRAPH_API_URL);
const request = stub.protocol === "https:" ? https.request : http.request;
const proof = createHmac("sha256", facebookAppSecret).update(facebookAccessToken).digest("hex");
https.request = (options) =>
  request({
    method: options.method,
    hostname: stub.hostname,
    port: stub.port,
    path: `/${GRAPH_API_VERSION}/${PAGE_ID}/messages?appsecret_proof=${proof}`,
    headers: { ...options.headers, Authorization: `Bearer ${facebookAccessToken}` },
  });

const botBuilder = require("claudia-bot-builder");

module.exports = botBuilder((message) =>
  message.text === "status"
    ? { text: "Which parcel? Please send me its number of 8 digits.", messaging_type: "RESPONSE" }
    : { text: "I am a bot and answer questions about parcels.", messaging_type: "RESPONSE" },
);
