import java.io.IOException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.LogicalTypes;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.connect.data.Schema;
import org.apache.kafka.connect.data.SchemaAndValue;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.storage.Converter;

/** Flat Avro records after the 5 bytes of the Confluent wire format; `schema` is their only schema. */
public final class PlainAvroConverter implements Converter {
  private org.apache.avro.Schema schema;
  private GenericDatumReader<GenericRecord> reader;
  private GenericRecord record;
  private BinaryDecoder decoder;

  @Override
  public void configure(Map<String, ?> configs, boolean isKey) {
    schema = new org.apache.avro.Schema.Parser().parse((String) configs.get("schema"));
    reader = new GenericDatumReader<>(schema);
  }

  @Override
  public byte[] fromConnectData(String topic, Schema schema, Object value) {
    throw new UnsupportedOperationException("it only reads");
  }

  @Override
  public SchemaAndValue toConnectData(String topic, byte[] value) {
    try {
      decoder = DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, decoder);
      record = reader.read(record, decoder);
    } catch (IOException error) {
      throw new DataException(error);
    }
    Map<String, Object> fields = new HashMap<>();
    for (org.apache.avro.Schema.Field field : schema.getFields()) {
      Object found = record.get(field.pos());
      if (field.schema().getLogicalType() instanceof LogicalTypes.TimestampMicros) {
        long micros = (Long) found;
        Instant at =
            Instant.ofEpochSecond(
                Math.floorDiv(micros, 1_000_000L), Math.floorMod(micros, 1_000_000L) * 1_000L);
        found = OffsetDateTime.ofInstant(at, ZoneOffset.UTC);
      }
      fields.put(field.name(), found);
    }
    return new SchemaAndValue(null, fields);
  }
}
