// A bot in Node.js on the same components: it acknowledges at once and tells a server what it was asked.
const http = require("http");

exports.handle = async (event) => {
  if (event.httpMethod === "GET") return { statusCode: 200, body: event.queryStringParameters["hub.challenge"] };
  const { sender, message } = JSON.parse(event.body).entry[0].messaging[0];
  await tell({ to: sender.id, text: `${message.text}, says Node.js ${process.version}` });
  return { statusCode: 200, body: "EVENT_RECEIVED" };
};

const tell = (answer) =>
  new Promise((resolve, reject) => {
    const request = http.request(process.env.ANSWERS_URL, { method: "POST" }, (taken) => taken.resume().on("end", resolve));
    request.on("error", reject);
    request.end(JSON.stringify(answer));
  });
